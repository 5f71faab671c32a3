/** What is shown on the terminal: withdrawals that go out, and what stops the others. */

import { setTimeout as sleep } from 'node:timers/promises';
import { createReserveClient } from 'breakwater/client/reserve';
import { formatEther } from 'viem';
import { accountId, connectNode, ETH } from './ethereum.ts';
import { operate, type Running } from './processes.ts';
import type { Service } from './service.ts';
import type { Signer } from './signer.ts';

/** What the story is about. */
export type Cast = {
  readonly anvil: Running;
  readonly breakwater: Running;
  readonly service: Service;
  readonly signer: Signer;
  readonly shadow: boolean;
};

/** Where all of them are paid to. */
const CUSTOMER = '0x00000000000000000000000000000000000A11cE';
const THIEF = '0x0000000000000000000000000000000000000Bad';
const LOOKS_MAX = 100;
const WAITS = /^(on hold|not now):/;

/** Tells it. */
export async function tellStory(cast: Cast): Promise<void> {
  const { anvil, breakwater, service, shadow } = cast;
  if (shadow) say('SHADOW MODE: nothing is stopped, everything is told.');
  say(`The service is at ${service.url}, Breakwater at ${breakwater.url}.`);

  say('Two ordinary withdrawals.');
  await ask(service, { id: 'w-1', customer: 'alice', amount: '1.5' });
  await ask(service, { id: 'w-2', customer: 'bob', amount: '4' });

  say('One is above what a customer gets in a day (10 ETH).');
  await ask(service, { id: 'w-3', customer: 'carol', amount: '12' });

  say('One is more than the wallet may still pay in this hour (15 ETH in all).');
  await ask(service, { id: 'w-4', customer: 'dave', amount: '9.9' });

  say('Somebody inside has an admission for Alice, and asks the signer to pay a thief instead.');
  await steal(cast);

  say('An operator pauses the wallet.');
  const paused = await operate(breakwater.url, 'pause', 'wallet:eth-hot-1', '--reason', 'a look');
  indent(paused);
  await ask(service, { id: 'w-5', customer: 'erin', amount: '1' });

  say('The operator resumes.');
  const incident = /incident (\w+)/.exec(paused)?.[1] ?? '';
  indent(await operate(breakwater.url, 'resume', incident, '--reason', 'all is well'));
  await ask(service, { id: 'w-5', customer: 'erin', amount: '1' });

  const balance = await connectNode(anvil.url).getBalance({ address: CUSTOMER });
  say(`On chain ${formatEther(balance)} ETH have arrived.`);
  tryIt(cast);
}

/** Asks as a customer's app would, and waits for as long as something happens. */
async function ask(
  { url }: Service,
  order: { readonly id: string; readonly customer: string; readonly amount: string },
): Promise<void> {
  console.log(`  POST /withdrawals: ${order.id}, ${order.amount} ETH for ${order.customer}`);
  const body = JSON.stringify({ ...order, asset: 'ETH', destination: CUSTOMER });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/withdrawals`, { method: 'POST', headers, body });
  if (answer.status !== 202) {
    const { title, detail } = (await answer.json()) as Record<string, string>;
    console.log(`  ${answer.status} ${title}: ${detail}`);
    return;
  }
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    await sleep(100);
    const status = await (await fetch(`${url}/withdrawals/${order.id}`)).json();
    const { state, text } = status as { readonly state: string; readonly text: string };
    if (state === 'settled' || state === 'refused' || WAITS.test(text)) return;
  }
}

/** What a taken-over service could try: change the destination, or use an admission twice. */
async function steal({ breakwater, signer, anvil }: Cast): Promise<void> {
  const client = createReserveClient({ url: `${breakwater.url}/reserve` });
  const [withdrawalId, value] = ['w-stolen', 10n ** 18n] as const;
  const wallet = accountId(signer.address);
  const money = { wallet, asset: ETH, destination: accountId(CUSTOMER), amount: value };
  const verdict = await client.reserve({ withdrawalId, ...money, actor: 'frank' });
  await client.close();
  if (verdict.verdict !== 'allow') return;
  const nonce = await connectNode(anvil.url).getTransactionCount({ address: signer.address });
  for (const to of [THIEF, CUSTOMER, CUSTOMER] as const) {
    const transfer = { to, value, nonce };
    const signed = await signer.sign({ withdrawalId, admission: verdict.admission, transfer });
    const whom = to === THIEF ? 'the thief' : 'Alice';
    console.log(`  to ${whom}: ${signed.ok ? 'signed' : `not signed, ${signed.text}`}`);
  }
}

function tryIt({ service, breakwater }: Cast): void {
  say('Try it yourself:');
  const body = JSON.stringify({
    id: 'w-6',
    customer: 'you',
    asset: 'ETH',
    amount: '1',
    destination: CUSTOMER,
  });
  console.log(`  curl -s ${service.url}/withdrawals -d '${body}'`);
  console.log(`  curl -s ${service.url}/withdrawals/w-6`);
  console.log(`  npm run --silent breakwater -- --url ${breakwater.url} status`);
}

function say(text: string): void {
  console.log(`\n${text}`);
}

function indent(text: string): void {
  for (const line of text.trim().split('\n').filter(Boolean)) console.log(`  | ${line}`);
}
