import { describe, expect, test } from 'vitest';
import { declareMovement } from '../../lib/actions/declare-movement.ts';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import type * as Movement from '../../lib/domain/movement.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const { HOUR_MS, T0_MS, usd } = Build;
/** A cold address, in no policy. */
const COLD = `eip155:1:0x${'b'.repeat(40)}` as const;

function declare(
  { world }: TestWorld,
  commandId: string,
  given: Partial<Transfer> & { readonly untilMs?: number } = {},
): Promise<Movement.Result> {
  const { untilMs = T0_MS + HOUR_MS, ...more } = given;
  const transfer = Build.transfer({
    actor: undefined,
    destination: COLD,
    amount: usd(10),
    ...more,
  });
  const declaration = { commandId, transfer, untilMs, reason: 'sweep' };
  return declareMovement(world.decision, { declaration, actor: 'ann' });
}

async function see({ world }: TestWorld, transaction: string, more: Partial<Transfer> = {}) {
  const event = Build.outflow({ transaction }, { destination: COLD, amount: usd(10), ...more });
  const [recorded] = await recordEvents(world.decision, [Build.incoming(event)]);
  return recorded?.kind === 'decided' ? recorded.outcome : undefined;
}

async function open({ world }: TestWorld): Promise<readonly string[]> {
  const incidents = await world.store.incidents.list(10);
  return incidents.filter((one) => !one.quarantinedBy).map(({ scope }) => scope);
}

describe('declareMovement', () => {
  test('default: what was declared moves, is counted, and trips nothing', async () => {
    const made = await readyWorld(Build.policy());
    expect(await declare(made, 'movement-1')).toMatchObject({ kind: 'declared' });
    expect(await see(made, '0xa')).toMatchObject({ result: 'moved-outflow', notional: usd(10) });
    expect(await open(made)).toEqual([]);
  });

  test('behavior: without a declaration the same money trips', async () => {
    const made = await readyWorld(Build.policy());
    expect(await see(made, '0xa')).toMatchObject({ result: 'unmatched-outflow' });
    expect(await open(made)).toEqual(['key-domain:vault-a']);
  });

  test('behavior: it is used up exactly, in parts, and one unit more trips', async () => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    expect(await see(made, '0xa', { amount: usd(4) })).toMatchObject({ result: 'moved-outflow' });
    expect(await see(made, '0xb', { amount: usd(6) })).toMatchObject({ result: 'moved-outflow' });
    expect(await see(made, '0xc', { amount: 1n })).toMatchObject({ result: 'unmatched-outflow' });
  });

  test.each([
    [usd(10), 'moved-outflow'],
    [usd(10) + 1n, 'unmatched-outflow'],
  ])('args: a maximum of 10 USD and an outflow of %d: %s', async (amount, result) => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    expect(await see(made, '0xa', { amount })).toMatchObject({ result });
  });

  test.each([
    [HOUR_MS - 1, 'moved-outflow'],
    [HOUR_MS, 'unmatched-outflow'],
  ])('args: an end of an hour, %d ms later: %s', async (laterMs, result) => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    made.clock.nowMs += laterMs;
    expect(await see(made, '0xa')).toMatchObject({ result });
  });

  test.each<[string, Partial<Transfer>]>([
    ['from another wallet', { account: Build.HOT_2 }],
    ['of another asset', { asset: Build.ETH }],
    ['to another address', { destination: Build.STRANGER }],
  ])('behavior: it covers no movement %s', async (_name, other) => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    expect(await see(made, '0xa', other)).toMatchObject({ result: 'unmatched-outflow' });
  });

  test('behavior: limits act on it as on any money', async () => {
    const made = await readyWorld(Build.policy({ limits: [Build.limit({ allowed: usd(9) })] }));
    await declare(made, 'movement-1');
    expect(await see(made, '0xa')).toMatchObject({ result: 'moved-outflow' });
    expect(await open(made)).toEqual(['wallet:hot-1']);
  });

  test('behavior: two on one way are two: each holds what it holds', async () => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    await declare(made, 'movement-2');
    expect(await see(made, '0xa', { amount: usd(20) })).toMatchObject({
      result: 'unmatched-outflow',
    });
    expect(await see(made, '0xb')).toMatchObject({ result: 'moved-outflow' });
    expect(await see(made, '0xc')).toMatchObject({ result: 'moved-outflow' });
    expect(await see(made, '0xd')).toMatchObject({ result: 'unmatched-outflow' });
  });

  test('behavior: H14: said again, also after it was used up, it gives no more', async () => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    expect(await see(made, '0xa')).toMatchObject({ result: 'moved-outflow' });
    expect(await declare(made, 'movement-1')).toEqual({ kind: 'duplicate' });
    expect(await see(made, '0xb')).toMatchObject({ result: 'unmatched-outflow' });
  });

  test('error: its id with other content, or of another kind of command', async () => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    expect(await declare(made, 'movement-1', { amount: usd(99) })).toMatchObject({
      kind: 'refused',
    });
    const { world } = made;
    const deps = {
      ...world.decision,
      incidents: world.store.incidents,
      compilePolicy: world.compilePolicy,
    };
    const command = {
      kind: 'pause',
      commandId: 'movement-1',
      scope: 'global',
      reason: 'drill',
    } as const;
    expect(await operateBreaker(deps, { command, actor: 'ann' })).toMatchObject({
      kind: 'refused',
    });
    await operateBreaker(deps, { command: { ...command, commandId: 'pause-1' }, actor: 'ann' });
    expect(await declare(made, 'pause-1')).toMatchObject({ kind: 'refused' });
  });

  test('behavior: a withdrawal on the same way is matched before a movement is used', async () => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    const report = Build.withdrawal('w-1', { destination: COLD, amount: usd(10) });
    await recordEvents(made.world.decision, [Build.incoming(report)]);
    expect(await see(made, '0xa')).toMatchObject({ result: 'matched-outflow' });
    expect(await see(made, '0xb')).toMatchObject({ result: 'moved-outflow' });
  });

  test('behavior: a maximum of 0 covers a call that moves nothing, and no money', async () => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1', { asset: Build.ETH, amount: 0n });
    const fee = { asset: Build.ETH, amount: 10n ** 15n };
    expect(await see(made, '0xa', { asset: Build.ETH, amount: 0n, fee })).toMatchObject({
      result: 'moved-outflow',
    });
    expect(await see(made, '0xb', { asset: Build.ETH, amount: 1n })).toMatchObject({
      result: 'unmatched-outflow',
    });
  });

  test('behavior: H16: two that use one movement at the same time use it once', async () => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    const outcomes = await Promise.all([see(made, '0xa'), see(made, '0xb')]);
    expect(outcomes.map((one) => one?.result).sort()).toEqual([
      'moved-outflow',
      'unmatched-outflow',
    ]);
  });

  test('behavior: H51 the audit chain is told, once, by whom and why', async () => {
    const made = await readyWorld(Build.policy());
    await declare(made, 'movement-1');
    await declare(made, 'movement-1');
    const told = made.records.flatMap((one) => (one.type === 'entry-added' ? [one.entry] : []));
    expect(told).toMatchObject([{ entryId: 'movement:movement-1', what: 'movement.declared' }]);
  });
});
