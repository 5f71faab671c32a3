/** What is replayed: an incident, the policy it meets, and the ordinary traffic around it. */

import { existsSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Incident, type Summary, summarize } from '../../local/replay/incident.ts';
import { InvalidRowError } from '../../local/replay/incident-tables.ts';
import { loadIncident } from '../../local/replay/load-incident.ts';
import { buildTimeline, type Timeline } from '../../local/replay/timeline.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { readPolicyFile, type Sourced } from '../policy-source.ts';
import type { Session } from '../session.ts';
import { NAMES } from './names.ts';

/** Everything that a replay is made of, read and checked. */
export type Script = {
  readonly incident: Incident;
  readonly summary: Summary;
  readonly timeline: Timeline;
  readonly seed: string;
  readonly policy: Sourced;
  /** Where the facts and the policy are, for people. */
  readonly incidentFile: string;
  readonly policyFile: string;
};

/** What a person asks for. */
export type Wanted = {
  /** A replay that comes with Breakwater, or a CSV file. */
  readonly name: string;
  readonly policy?: string | undefined;
  readonly seed: string;
};

/** The folder of this package: its examples are found wherever the command is run. */
const PACKAGE = join(import.meta.dirname, '..', '..', '..');
const INCIDENTS = join(PACKAGE, 'examples', 'incidents');
const POLICIES = join(PACKAGE, 'examples', 'policies');

/** Reads a script. @throws {StoppedError} `usage`: no such replay, or a file that cannot be used. */
export async function readScript(session: Session, wanted: Wanted): Promise<Script> {
  const { cwd } = session.io;
  const incidentPath = pathOf(wanted.name, cwd);
  const policyPath = policyPathOf(incidentPath, wanted.policy, cwd);
  const policy = await readPolicyFile(session, policyPath);
  const { seed } = wanted;
  return reading(() => {
    const incident = loadIncident(incidentPath);
    const timeline = buildTimeline({ incident, traffic: { seed } });
    const files = { incidentFile: shown(incidentPath, cwd), policyFile: shown(policyPath, cwd) };
    return { incident, summary: summarize(incident), timeline, seed, policy, ...files };
  });
}

function pathOf(name: string, cwd: string): string {
  if (NAMES.includes(name)) return join(INCIDENTS, `${name}.csv`);
  const path = resolve(cwd, name);
  if (existsSync(path)) return path;
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: `There is no replay and no file called ${name}.`,
    hint: `Replays that come along: ${NAMES.join(', ')}. Or give a CSV file as examples/incidents/README.md describes it.`,
  });
}

function policyPathOf(incidentPath: string, given: string | undefined, cwd: string): string {
  if (given !== undefined) return resolve(cwd, given);
  const bundled = join(POLICIES, `${basename(incidentPath, '.csv')}.yaml`);
  if (dirname(incidentPath) === INCIDENTS && existsSync(bundled)) return bundled;
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: `No policy comes with ${basename(incidentPath)}.`,
    hint: 'Name one with --policy FILE; examples/policies/coinex-2023.yaml shows what it needs.',
  });
}

/** Files of the package by their place in it, others as seen from the current folder. */
function shown(path: string, cwd: string): string {
  const inPackage = relative(PACKAGE, path);
  return inPackage.startsWith('..') ? relative(cwd, path) : inPackage;
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof InvalidRowError) && !isTimelineError(cause)) throw cause;
    const { message } = cause;
    const hint = 'The columns are described in examples/incidents/README.md.';
    throw new StoppedError({ exitCode: EXIT.usage, message, hint, cause });
  }
}

function isTimelineError(error: unknown): error is Error {
  return error instanceof Error && error.name.startsWith('Timeline.');
}
