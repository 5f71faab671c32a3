/**
 * The ceremony, played with keys that are made for the run: a limit trips, two operators sign, a breach
 * in the first step opens it again, and the second resume goes to the end.
 *
 *   npm run example:resume
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBreakwater } from '../withdrawal-service/processes.ts';
import { makeOperator, type Operator } from './operators.ts';
import { tellStory } from './story.ts';
import { openTerminal } from './terminal.ts';

const NAMES = ['alice', 'bob', 'carol'];
const WALLET = 'eip155:1:0x1111111111111111111111111111111111111111';

const folder = await mkdtemp(join(tmpdir(), 'breakwater-resume-'));
try {
  const operators = await Promise.all(NAMES.map((name) => makeOperator(folder, name)));
  const policy = await writePolicy(operators);
  const state = join(folder, 'state');
  const breakwater = await startBreakwater(policy, { folder: state, cwd: folder, wallet: WALLET });
  try {
    await tellStory(openTerminal(breakwater.url), { operators, wallet: WALLET });
  } finally {
    await breakwater.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The policy with the addresses of this run. */
async function writePolicy(operators: readonly Operator[]): Promise<string> {
  let source = await readFile(join(import.meta.dirname, 'policy.yaml'), 'utf8');
  for (const [position, { address }] of operators.entries()) {
    source = source.replace(`0x100000000000000000000000000000000000000${position + 1}`, address);
  }
  const file = join(folder, 'policy.yaml');
  await writeFile(file, source);
  return file;
}
