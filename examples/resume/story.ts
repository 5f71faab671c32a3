/** What is shown on the terminal. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Operator } from './operators.ts';
import type { Terminal } from './terminal.ts';

/** Who and what it is about. */
export type Cast = { readonly operators: readonly Operator[]; readonly wallet: string };

const USDC = 'eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const CUSTOMER = 'eip155:1:0x2222222222222222222222222222222222222222';
const BASE = 'wallet-hour@wallet:hot-1';
/** Looks at the status: the longest step takes 20 s. */
const LOOKS_MAX = 120;
const LOOK_EVERY_MS = 500;

type Open = { readonly incidentId: string; readonly step?: { readonly number: number } };

/** Tells it. */
export async function tellStory(terminal: Terminal, cast: Cast): Promise<void> {
  const { say, type } = terminal;
  const [alice, bob, carol] = cast.operators;
  if (!alice || !bob || !carol) throw new Error('the story needs three operators');

  say(
    'People are asked for a yes and for their passphrase. Here --yes and a file stand in for them.',
  );
  say('The limit is 1 000 USD an hour. 1 001 leave at once, and the breaker opens.');
  await pay(terminal, cast, { id: 'w-1', usd: 1_001 });
  const { incidentId } = await until(terminal, (open) => open?.step === undefined && open);
  await type(['resume', incidentId, '--reason', 'I am sure']);

  say(
    'One alone cannot. Alice proposes to resume; what left before is known, so the limit begins anew.',
  );
  const first = await propose(terminal, incidentId, 'a known customer');
  await sign(terminal, alice, first);
  say('Her key alone opens nothing, however often it signs.');
  await sign(terminal, alice, first);
  say('Bob’s signature completes the quorum.');
  await sign(terminal, bob, first);
  await until(terminal, (open) => open?.step?.number === 1 && open);
  await type(['status']);

  say(
    'The first step gives back 10 %, 100 USD. 200 leave: it opens again, with the same incident.',
  );
  await pay(terminal, cast, { id: 'w-2', usd: 200 });
  await until(terminal, (open) => open !== undefined && open.step === undefined && open);
  await type(['incident', incidentId]);
  say('The signatures of before are used up.');
  await sign(terminal, carol, first);

  await resumeToTheEnd(terminal, incidentId, [carol, bob]);
}

async function resumeToTheEnd(
  terminal: Terminal,
  incidentId: string,
  signers: readonly Operator[],
): Promise<void> {
  const { say, type } = terminal;
  say('A new proposal, for the new opening. This time it goes through its steps.');
  const second = await propose(terminal, incidentId, 'the batch job is off');
  for (const each of signers) await sign(terminal, each, second);
  await until(terminal, (open) => (open?.step?.number ?? 0) >= 2 && open);
  await type(['status']);
  await untilClosed(terminal);
  await type(['status']);
}

/** Says that so much has left the wallet. */
async function pay(
  { type }: Terminal,
  { wallet }: Cast,
  { id, usd }: { readonly id: string; readonly usd: number },
): Promise<void> {
  const transfer = { wallet, asset: USDC, destination: CUSTOMER, actor: 'customer-1' };
  const detail = { withdrawalId: id, ...transfer, amount: `${usd}000000` };
  const event = { 'detail-type': 'withdrawal.reported', detail };
  await type(['send'], { stdin: JSON.stringify(event), shown: `send < ${id}.json` });
}

async function propose(
  { type, ask }: Terminal,
  incidentId: string,
  reason: string,
): Promise<string> {
  await type(['resume', 'propose', incidentId, '--reason', reason, '--new-base', BASE]);
  const { proposals } = (await ask('proposal.list')) as {
    readonly proposals: readonly { readonly proposal: { readonly proposalId: string } }[];
  };
  const [newest] = proposals;
  if (!newest) throw new Error('nothing was proposed');
  return newest.proposal.proposalId;
}

/** As at a terminal of theirs; the passphrase, which a person types, comes from a file here. */
async function sign({ type }: Terminal, who: Operator, proposalId: string): Promise<void> {
  const { name, keystore, passphraseFile } = who;
  const words = ['resume', 'sign', proposalId, '--keystore', keystore, '--yes'];
  await type(words, {
    shown: `resume sign ${proposalId} --keystore ${name}.json`,
    env: { BREAKWATER_PASSPHRASE_FILE: passphraseFile },
  });
}

async function until(
  { ask }: Terminal,
  isSo: (open: Open | undefined) => Open | false | undefined,
): Promise<Open> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const { open } = (await ask('status')) as { readonly open: readonly Open[] };
    const found = isSo(open[0]);
    if (found) return found;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error('what was expected did not happen');
}

async function untilClosed({ ask }: Terminal): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const { summary } = (await ask('status')) as { readonly summary: string };
    if (summary === 'enabled') return;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error('it did not resume');
}
