/**
 * Starts a chain, Breakwater and the service, and shows what they do.
 *
 *   npm run example:withdrawals                    stays up, for you to try
 *   npm run example:withdrawals -- --no-wait       ends by itself
 *   npm run example:withdrawals -- --shadow        the first day: nothing is stopped
 */

import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mnemonicToAccount } from 'viem/accounts';
import { accountId } from './ethereum.ts';
import {
  ANVIL_MNEMONIC,
  isAnvilInstalled,
  type Running,
  startAnvil,
  startBreakwater,
} from './processes.ts';
import { startService } from './service.ts';
import { createSigner } from './signer.ts';
import { tellStory } from './story.ts';

const { values } = parseArgs({
  options: {
    'no-wait': { type: 'boolean', default: false },
    shadow: { type: 'boolean', default: false },
  },
});

if (isAnvilInstalled()) await run(values);
else console.log('This example needs anvil, which is installed on Linux x64 only.');

async function run(options: { readonly shadow: boolean; readonly 'no-wait': boolean }) {
  const { shadow } = options;
  const ended = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const folder = await mkdtemp(join(tmpdir(), 'withdrawal-service-'));
  const account = mnemonicToAccount(ANVIL_MNEMONIC);
  const running: Pick<Running, 'stop'>[] = [];
  try {
    const anvil = await startAnvil();
    running.push(anvil);
    const policy = await writePolicy(folder, shadow);
    const wallet = accountId(account.address);
    const breakwater = await startBreakwater(policy, { folder, cwd: process.cwd(), wallet });
    running.push(breakwater);
    const parts = { breakwaterUrl: breakwater.url, shadow, log: tell };
    const signer = createSigner({ ...parts, account });
    const service = await startService({ ...parts, signer, rpcUrl: anvil.url });
    running.push(service);
    await Promise.race([tellStory({ anvil, breakwater, service, signer, shadow }), ended]);
    if (options['no-wait']) return;
    console.log('\nEverything stays up until Ctrl-C.');
    await ended;
  } finally {
    for (const each of running.toReversed()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Shadow mode is said in two places: in the policy, and in the service for when nobody can ask the policy. */
async function writePolicy(folder: string, shadow: boolean): Promise<string> {
  const source = await readFile(join(import.meta.dirname, 'policy.yaml'), 'utf8');
  const file = join(folder, 'policy.yaml');
  await writeFile(file, shadow ? source.replace('mode: enforce', 'mode: shadow') : source);
  return file;
}

function tell(line: string): void {
  console.log(`  ${line}`);
}
