/** Making proposals: `breakwater resume|policy|allowance|maintenance propose`. It changes nothing else. */

import type { Command } from 'commander';
import type { Request } from '../../adapters/wire/command.ts';
import { ask } from '../ask.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { readPolicyFile } from '../policy-source.ts';
import { PROPOSED, SHOWN } from '../proposal-answers.ts';
import { walletsAlong } from '../quarantined.ts';
import { proposalPage } from '../render/proposal.ts';
import { clean } from '../render/text.ts';
import { readScope } from '../scope-argument.ts';
import type { Run, Session } from '../session.ts';
import { readShare } from '../share-argument.ts';
import { readTime } from '../time-argument.ts';
import type { Transport } from '../transport.ts';

type ProposeRequest = Extract<Request, { command: `${string}.propose` }>;
type Times = { readonly reason: string; readonly notBefore?: string; readonly expires?: string };
type ResumeOptions = Times & {
  readonly atOnce?: boolean;
  readonly newBase?: readonly string[];
  readonly also?: readonly string[];
  readonly wallets?: boolean;
};
type AllowanceOptions = Times & {
  readonly scope: string;
  readonly extra: string;
  readonly until: string;
};

/** Adds `propose` to the group `resume`. */
export function addResumePropose(group: Command, run: Run): void {
  addTimes(
    group
      .command('propose')
      .argument('<incident>', 'the id of the incident, as status and every alert show it')
      .summary('propose to resume; operators sign it')
      .description(
        'Proposes to close the breaker of an incident, in the steps of the policy unless --at-once. Nothing changes until enough operators have signed it.',
      )
      .option('--at-once', 'without steps: every limit in force, in full')
      .option(
        '--new-base <limit@scope...>',
        'this limit counts from the resume on; what left before counts no more there',
      )
      .option('--also <incident...>', 'close these incidents with it, such as what was quarantined')
      .option('--wallets', 'close those of the wallets with it that were stopped along with it'),
  ).action((incident: string, options: ResumeOptions, command: Command) =>
    run(command, (session) => proposeResume(session, incident, options)),
  );
}

/** Adds `propose` to the group `policy`. */
export function addPolicyPropose(group: Command, run: Run): void {
  addTimes(
    group
      .command('propose')
      .argument('<file>', 'the new policy, or - for standard input')
      .summary('propose a policy that loosens; operators sign it')
      .description(
        'Proposes a policy that loosens something. Once enough operators have signed it, it waits for the delay of the policy in force, and any operator can object; then it comes into force. What loosens nothing needs no proposal: breakwater policy apply.',
      ),
  ).action((file: string, options: Times, command: Command) =>
    run(command, async (session) => {
      const { source } = await readPolicyFile(session, file);
      return propose(session, options, (common) => ({
        command: 'policy.propose',
        source,
        ...common,
      }));
    }),
  );
}

/** Adds the group `allowance`. */
export function addAllowance(program: Command, run: Run): void {
  const group = program
    .command('allowance')
    .summary('let one limit allow more for a while; operators sign it')
    .helpCommand(false);
  addTimes(
    group
      .command('propose')
      .argument('<limit>', 'the id of the limit')
      .summary('propose more room under one limit, for a day at most')
      .description(
        'For a day that is legitimate and busy, such as a listing: one limit allows more in one scope, by at most itself again, until a time at most 24 hours ahead. It needs the quorum, and no delay.',
      )
      .requiredOption('--scope <scope>', 'where, such as wallet:eth-hot-1')
      .requiredOption('--extra <share>', 'how much more of itself: 1% to 100%')
      .requiredOption('--until <time>', 'its end: 2026-01-31T18:00:00Z, or 6h from now'),
  ).action((limit: string, options: AllowanceOptions, command: Command) =>
    run(command, (session) => proposeAllowance(session, limit, options)),
  );
}

/** Adds the group `maintenance`. */
export function addMaintenance(program: Command, run: Run): void {
  const group = program
    .command('maintenance')
    .summary('stop a scope for planned work without waking anybody; operators sign it')
    .helpCommand(false);
  addTimes(
    group
      .command('propose')
      .argument('<scope>', 'global, or <kind>:<id> such as wallet:eth-hot-1')
      .summary('propose to stop a scope for planned work')
      .description(
        'Once enough operators have signed it, the scope is stopped at once, and nobody is paged. It is opened again as after any pause: breakwater resume propose INCIDENT.',
      ),
  ).action((scope: string, options: Times, command: Command) =>
    run(command, (session) => {
      const key = readScope(scope);
      return propose(session, options, (common) => ({
        command: 'maintenance.propose',
        scope: key,
        ...common,
      }));
    }),
  );
}

function addTimes(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why; it is signed, and everybody reads it')
    .option('--not-before <time>', 'carry it out no earlier: 2026-01-31T18:00:00Z, or 2h from now')
    .option(
      '--expires <time>',
      'until when it can be signed: an instant or 2h; a day unless given',
    );
}

async function proposeResume(
  session: Session,
  incident: string,
  options: ResumeOptions,
): Promise<undefined> {
  const { atOnce, newBase = [], also = [], wallets } = options;
  const rebase = newBase.map(readBase);
  const incidentId = incident.toUpperCase();
  const along = wallets ? await walletsAlong(await session.connect(), incidentId) : [];
  const named = new Set([...also.map((one) => one.toUpperCase()), ...along]);
  return propose(session, options, (common) => ({
    command: 'resume.propose',
    incidentId,
    mode: atOnce ? 'at-once' : 'steps',
    rebase,
    also: [...named],
    ...common,
  }));
}

async function proposeAllowance(
  session: Session,
  limitId: string,
  options: AllowanceOptions,
): Promise<undefined> {
  const scope = readScope(options.scope);
  const extraBps = readShare('--extra', options.extra);
  const until = readTime('--until', options.until, session.io.nowMs());
  return propose(session, options, (common) => ({
    command: 'allowance.propose',
    limitId,
    scope,
    extraBps,
    until,
    ...common,
  }));
}

function readBase(text: string) {
  const at = text.indexOf('@');
  if (at > 0) return { limitId: text.slice(0, at), scope: readScope(text.slice(at + 1)) };
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: `--new-base: ${clean(text)} names no limit of a scope.`,
    hint: 'Write LIMIT@SCOPE, such as wallet-hour@wallet:eth-hot-1; `breakwater limits` lists both.',
  });
}

type Common = Pick<ProposeRequest, 'commandId' | 'reason' | 'notBefore' | 'expires'>;

async function propose(
  session: Session,
  { reason, notBefore, expires }: Times,
  requestOf: (common: Common) => ProposeRequest,
): Promise<undefined> {
  const nowMs = session.io.nowMs();
  const request = requestOf({
    commandId: session.io.commandId(),
    reason,
    ...(notBefore === undefined ? {} : { notBefore: readTime('--not-before', notBefore, nowMs) }),
    ...(expires === undefined ? {} : { expires: readTime('--expires', expires, nowMs) }),
  });
  const transport = await session.connect();
  const { value, raw } = await ask(transport, request, PROPOSED);
  if (session.json) return session.printJson(raw) as undefined;
  const isNew = value.kind === 'proposed';
  const proposalId = isNew ? value.proposal.proposalId : value.proposalId;
  const { paint } = session;
  const what = isNew ? paint.green('PROPOSED') : paint.yellow('PROPOSED BEFORE');
  session.print([`${what} ${paint.bold(clean(proposalId))} on ${clean(transport.target)}`, '']);
  await showIt(session, transport, proposalId);
}

/** Who may sign, and how. The proposal is made whether or not this can be read. */
async function showIt(session: Session, transport: Transport, proposalId: string): Promise<void> {
  try {
    const { value } = await ask(transport, { command: 'proposal.show', proposalId }, SHOWN);
    session.print(proposalPage(value, { ...session, nowMs: session.io.nowMs() }));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    session.warn(`The proposal is made; it could not be read back: ${clean(why)}`);
  }
}
