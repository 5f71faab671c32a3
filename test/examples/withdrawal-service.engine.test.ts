import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, parseEther } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { accountId, connectNode, ETH } from '../../examples/withdrawal-service/ethereum.ts';
import {
  ANVIL_MNEMONIC,
  isAnvilInstalled,
  startAnvil,
  startBreakwater,
} from '../../examples/withdrawal-service/processes.ts';
import { startService } from '../../examples/withdrawal-service/service.ts';
import { createSigner, type Signer } from '../../examples/withdrawal-service/signer.ts';
import { createReserveClient } from '../../lib/client/reserve-client.ts';
import { allGone, ask as command } from '../support/local-runtime.ts';

const CUSTOMER = '0x00000000000000000000000000000000000A11cE';
const THIEF = '0x0000000000000000000000000000000000000Bad';
const POLICY = join(import.meta.dirname, '../../examples/withdrawal-service/policy.yaml');
const WAIT_MAX_MS = 20_000;

type World = Awaited<ReturnType<typeof startWorld>>;

/** A chain, Breakwater and the service, all of them new. */
async function startWorld({ shadow }: { readonly shadow: boolean }) {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-test-'));
  const source = (await readFile(POLICY, 'utf8')).replace('admission: 10s', 'admission: 5s');
  const policy = join(folder, 'policy.yaml');
  await writeFile(policy, shadow ? source.replace('mode: enforce', 'mode: shadow') : source);
  const account = mnemonicToAccount(ANVIL_MNEMONIC);
  const wallet = accountId(account.address);
  const anvil = await startAnvil();
  const breakwater = await startBreakwater(policy, { folder, cwd: folder, wallet });
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const options = { breakwaterUrl: breakwater.url, shadow, log };
  const signer = createSigner({ ...options, account });
  const serve = (by: Signer) =>
    startService({ ...options, rpcUrl: anvil.url, signer: by, askAgainMs: 200 });
  const service = await serve(signer);
  const end = async () => {
    await service.stop();
    await breakwater.stop();
    await anvil.stop();
    expect(await allGone(folder)).toEqual([]);
    await rm(folder, { recursive: true, force: true });
  };
  return { anvil, breakwater, service, serve, signer, wallet, lines, end };
}

async function post(at: { readonly url: string }, order: Readonly<Record<string, string>>) {
  const whole = { asset: 'ETH', customer: 'alice', destination: CUSTOMER, ...order };
  const answer = await fetch(`${at.url}/withdrawals`, {
    method: 'POST',
    body: JSON.stringify(whole),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const untilMs = performance.now() + WAIT_MAX_MS;
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined) return seen;
    if (performance.now() > untilMs) throw new Error('it did not come to that');
    await sleep(50);
  }
}

/** Where a withdrawal gets to: a state, or a text that its status begins with. */
function reaches(at: { readonly url: string }, id: string, wanted: string) {
  return until(async () => {
    const answer = await fetch(`${at.url}/withdrawals/${id}`);
    const status = (await answer.json()) as Record<'state' | 'text' | 'transaction', string>;
    return status.state === wanted || status.text.startsWith(wanted) ? status : undefined;
  });
}

/** What has arrived on chain, wei. */
function arrived({ anvil }: World, address: Address = CUSTOMER): Promise<bigint> {
  return connectNode(anvil.url).getBalance({ address });
}

/** Transactions that the wallet has sent. */
function sent({ anvil, signer: { address } }: World): Promise<number> {
  return connectNode(anvil.url).getTransactionCount({ address });
}

/** What a signer is asked for a withdrawal to the customer, with its admission. */
async function admitted(world: World, withdrawalId: string, eth = '1') {
  const client = createReserveClient({ url: `${world.breakwater.url}/reserve` });
  const amount = parseEther(eth);
  const money = { wallet: world.wallet, asset: ETH, destination: accountId(CUSTOMER), amount };
  const verdict = await client.reserve({ withdrawalId, ...money, actor: withdrawalId });
  await client.close();
  if (verdict.verdict !== 'allow') throw new Error(verdict.text);
  const transfer = { to: CUSTOMER, value: amount, nonce: await sent(world) } as const;
  return { withdrawalId, admission: verdict.admission, transfer };
}

async function operate(world: World, request: Readonly<Record<string, string>>) {
  const change = { commandId: randomUUID(), reason: 'a look', ...request };
  const { status, body } = await command(world.breakwater, change);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body as { readonly incidentId: string };
}

function pause(world: World) {
  return operate(world, { command: 'pause', scope: 'wallet:eth-hot-1' });
}

const { runIf } = describe;
const hasAnvil = isAnvilInstalled();
if (!hasAnvil) console.log('not run: anvil is not installed (its package is for Linux x64 only)');

runIf(hasAnvil)('examples/withdrawal-service', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ shadow: false });
  });
  afterAll(() => world.end());

  test('default', async () => {
    const { service, lines } = world;
    const order = { id: 'w-1', amount: '1.5' };
    expect((await post(service, order)).status).toBe(202);
    const { transaction } = await reaches(service, 'w-1', 'settled');
    expect(transaction).toMatch(/^0x[0-9a-f]{64}$/);
    expect([await arrived(world), await sent(world)]).toEqual([parseEther('1.5'), 1]);
    expect(await post(service, order)).toMatchObject({ status: 202, body: { state: 'settled' } });
    expect((await post(service, { ...order, amount: '2' })).status).toBe(409);
    expect(await sent(world)).toBe(1);
    expect(lines.filter((line) => line.startsWith('not reported'))).toEqual([]);
    // Breakwater has heard that it is settled: it never admits this id again.
    const again = () =>
      admitted(world, 'w-1', '1.5').then(
        () => undefined,
        ({ message }: Error) => message,
      );
    expect(await until(again)).toBe('withdrawal w-1 is reported already');
  });

  test('behavior: many at once leave one after the other', async () => {
    const before = await arrived(world);
    const ids = ['m-1', 'm-2', 'm-3', 'm-4'];
    const customers = ids.map((id) => post(world.service, { id, customer: id, amount: '1' }));
    await Promise.all(customers);
    await Promise.all(ids.map((id) => reaches(world.service, id, 'settled')));
    expect((await arrived(world)) - before).toBe(parseEther('4'));
  });

  test('error: what is no order', async () => {
    const order = {
      id: 'w-2',
      customer: 'alice',
      amount: '1',
      asset: 'ETH',
      destination: CUSTOMER,
    };
    const wrong = [
      { amount: '-1' },
      { amount: '0.0000000000000000001' },
      { asset: 'BTC' },
      { destination: '0x1' },
    ].map((field) => JSON.stringify({ ...order, ...field }));
    const before = await sent(world);
    for (const body of ['{', ...wrong]) {
      const answer = await fetch(`${world.service.url}/withdrawals`, { method: 'POST', body });
      expect(answer.status, body).toBe(400);
    }
    expect(await sent(world)).toBe(before);
  });

  test('behavior: a destination that was changed after the reservation is not signed', async () => {
    const { signer, serve } = world;
    const before = await sent(world);
    const changed = await serve({
      address: signer.address,
      sign: (request) => signer.sign({ ...request, transfer: { ...request.transfer, to: THIEF } }),
    });
    await post(changed, { id: 'w-3', amount: '1' });
    const { text } = await reaches(changed, 'w-3', 'refused');
    expect(text).toBe('not signed: the admission is for another destination');
    expect([await arrived(world, THIEF), await sent(world)]).toEqual([0n, before]);
    // The service reports it once the admission can open no signer any more: its budget is back then.
    const close = { command: 'withdrawal.close', withdrawalId: 'w-3', outcome: 'failed' };
    await until(async () => {
      const { body } = await command(world.breakwater, { ...close, reason: 'a look' });
      expect(body).not.toMatchObject({ kind: 'recorded' });
      return JSON.stringify(body).includes('duplicate') || undefined;
    });
    await changed.stop();
  });

  test('behavior: an admission opens the signer once', async () => {
    const { signer } = world;
    const request = await admitted(world, 'w-4');
    expect(await signer.sign(request)).toMatchObject({ ok: true });
    expect(await signer.sign(request)).toMatchObject({ ok: false, reason: 'reused' });
    const none = { ...request, admission: undefined };
    expect(await signer.sign(none)).toMatchObject({ ok: false, reason: 'malformed' });
  });

  test('behavior: a pause stops it at the door, on its way and at the signer', async () => {
    const { service, signer } = world;
    const before = await sent(world);
    const request = await admitted(world, 'w-5');
    await post(service, { id: 'w-6', amount: '12' });
    await reaches(service, 'w-6', 'on hold');
    const { incidentId } = await pause(world);
    expect(await post(service, { id: 'w-7', amount: '1' })).toMatchObject({
      status: 503,
      body: { reason: 'breaker-open', scope: 'wallet:eth-hot-1' },
    });
    expect(await signer.sign(request)).toMatchObject({ ok: false, reason: 'flag' });
    expect((await reaches(service, 'w-6', 'not now')).text).toContain('wallet:eth-hot-1 is paused');
    expect(await sent(world)).toBe(before);
    await operate(world, { command: 'resume', incidentId });
    await post(service, { id: 'w-7', amount: '1' });
    await reaches(service, 'w-7', 'settled');
  });
});

runIf(hasAnvil).each([false, true])('examples/withdrawal-service, shadow mode %s', (shadow) => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld({ shadow });
  });
  afterEach(() => world.end());

  test('behavior: over a limit', async () => {
    const { service, lines } = world;
    const all = () => lines.join('\n');
    await post(service, { id: 'w-1', amount: '12' });
    await reaches(service, 'w-1', shadow ? 'settled' : 'on hold');
    await post(service, { id: 'w-2', customer: 'bob', amount: '9' });
    await reaches(service, 'w-2', 'settled');
    await post(service, { id: 'w-3', customer: 'carol', amount: '9' });
    await reaches(service, 'w-3', shadow ? 'settled' : 'not now');
    if (!shadow) {
      expect(all()).toMatch(/w-1 pending: on hold: .*customer-day on actor:alice/);
      expect(all()).toMatch(/w-3 pending: not now: .*wallet-hour on wallet:eth-hot-1/);
      // Asked about again meanwhile, to no avail.
      await sleep(500);
      expect(await arrived(world)).toBe(parseEther('9'));
      return;
    }
    expect(all()).toMatch(
      /w-1 pending: shadow mode; enforced: hold, .*customer-day on actor:alice/,
    );
    expect(all()).toMatch(/w-3 pending: shadow mode; enforced: block, .*wallet-hour/);
    await pause(world);
    expect((await post(service, { id: 'w-4', customer: 'dave', amount: '1' })).status).toBe(202);
    await reaches(service, 'w-4', 'settled');
    expect(all()).toMatch(/w-4 pending: shadow mode; enforced: block, .*is paused/);
    expect(await arrived(world)).toBe(parseEther('31'));
  });

  test('error: Breakwater is gone', async () => {
    const { service, signer, breakwater, lines } = world;
    const request = await admitted(world, 'w-1');
    await post(service, { id: 'w-2', amount: '12' });
    await reaches(service, 'w-2', shadow ? 'settled' : 'on hold');
    await breakwater.kill();
    const killedMs = performance.now();
    const answer = await post(service, { id: 'w-3', amount: '1' });
    if (!shadow) {
      expect(answer).toMatchObject({ status: 503, body: { reason: 'unreachable' } });
      expect(await signer.sign(request)).toMatchObject({ ok: false, reason: 'flag' });
      expect((await reaches(service, 'w-2', 'not now')).text).toContain('fetch failed');
      expect([await arrived(world), await sent(world)]).toEqual([0n, 0]);
      return;
    }
    expect(answer.status).toBe(202);
    await reaches(service, 'w-3', 'settled');
    console.log(`shadow mode, without Breakwater: ${Math.round(performance.now() - killedMs)} ms`);
    expect(lines.join('\n')).toContain('w-3 pending: shadow mode; enforced: block, fetch failed');
    expect(await arrived(world)).toBe(parseEther('13'));
  });
});
