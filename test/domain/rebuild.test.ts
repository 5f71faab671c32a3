import { describe, expect, test } from 'vitest';
import { recordBatch } from '../../lib/actions/record-batch.ts';
import * as Codec from '../../lib/adapters/dynamodb/meter-codec.ts';
import type { AssetId } from '../../lib/domain/caip.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Rebuild from '../../lib/domain/rebuild.ts';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';
import * as Random from '../../lib/local/replay/random.ts';
import { ledgerOf, readyWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { rebuild as naive } from '../support/oracle.ts';

const EVENTS = 10_000;
const BATCH = 25;

describe('rebuild', () => {
  test('default: after 10,000 random events with give-backs, slot by slot equal; H87', async () => {
    const { world, clock, committed } = await readyWorld(Build.policy({ mode: 'shadow' }));
    const random = Random.create('rebuild');
    const deps = { ...world.decision, alerts: world.store.alerts };
    const open: string[] = [];
    let [sent, givenBack] = [0, 0];
    while (sent < EVENTS) {
      const entries = Array.from({ length: BATCH }, () => {
        sent += 1;
        return entryOf(sent, open, random);
      });
      for (const one of await recordBatch(deps, entries)) {
        if (one.kind === 'failed') throw one.error;
        if (one.kind === 'closed' && 'givenBack' in one.result) givenBack += 1;
      }
      clock.nowMs += Math.floor(random() * 240_000);
    }
    const loaded = await ledgerOf(world.store, committed);
    const rows = [...loaded.rows.values()];
    const rebuilt = Rebuild.rebuild(rows, Build.shortHash);
    console.info(
      `rebuild: ${sent} events, ${givenBack} given back, ${rows.length} rows, ${loaded.items.size} meters`,
    );
    expect(givenBack).toBeGreaterThan(1_000);
    expect(Rebuild.differences(loaded.items, rebuilt)).toEqual([]);
    // It is no mirror of the code that charges: the naive reference has the same sums.
    const sums = naive(rows, Build.shortHash);
    for (const [slot, total] of rebuilt.get('global') ?? []) {
      expect(sums.get('global')?.get(slot)).toMatchObject({ notional: total.notional });
    }
  }, 300_000);

  test('behavior: a lower slot is found and raised, a higher one is found and left; H88', async () => {
    const { world, committed } = await readyWorld(Build.policy({ mode: 'shadow' }));
    const deps = { ...world.decision, alerts: world.store.alerts };
    await recordBatch(deps, [entryOf(1, [], () => 0.9)]);
    const { rows, items } = await ledgerOf(world.store, committed);
    const rebuilt = Rebuild.rebuild([...rows.values()], Build.shortHash);
    const global = items.get('global');
    if (!global) throw new Error('nothing was counted');
    const change = (by: bigint) => {
      const steps = global.meter.steps.map((slots) =>
        slots.map((slot) => ({ ...slot, notional: slot.notional + by })),
      );
      return { ...global, meter: { ...global.meter, steps } };
    };
    const lower = Rebuild.differences(new Map([...items, ['global', change(-1n)]]), rebuilt);
    expect(lower).toHaveLength(8);
    expect(lower.every((one) => one.lower)).toBe(true);
    const sums = rebuilt.get('global') ?? new Map();
    expect(Rebuild.raised(change(-1n), sums)).toEqual(global);
    const higher = Rebuild.differences(new Map([...items, ['global', change(1n)]]), rebuilt);
    expect(higher.some((one) => one.lower)).toBe(false);
    expect(Rebuild.raised(change(1n), sums)).toEqual(change(1n));
  });
});

/** A row of `hot-1` that was charged one USDC, or nothing. */
function row(rowId: string, more: Partial<Ledger.Row> = {}, isCharged = true): Ledger.Row {
  const leg = { asset: Build.USDC, amount: 5n, notional: 5n, pricePicoUsd: 1n };
  return {
    rowId,
    version: 1,
    state: 'reported',
    decisionId: 'd',
    bodyHash: '',
    atMs: Build.T0_MS,
    policyVersion: 1,
    money: {
      transfer: Build.transfer({ amount: 5n }),
      subject: Build.subject(),
      charged: isCharged ? [leg] : [],
      chargedAtMs: Build.T0_MS,
    },
    ...more,
  };
}

const SLOT = `0:${Math.floor(Build.T0_MS / 6_000)}`;
const slotOf = (...rows: readonly Ledger.Row[]) =>
  Rebuild.rebuild(rows, Build.shortHash).get('global')?.get(SLOT);

describe('rebuild, row by row', () => {
  test('default: what was charged, once for each row; nothing of what was given back', () => {
    expect(slotOf(row('withdrawal:a'), row('withdrawal:b'))).toMatchObject({
      notional: 10n,
      count: 2,
    });
    for (const state of ['failed', 'cancelled', 'replaced'] as const) {
      expect(slotOf(row('withdrawal:a', { state }))).toBeUndefined();
    }
    const { money: _, ...note } = row('command:c');
    expect(slotOf(note)).toBeUndefined();
  });

  test('behavior: H24: a fee adds its size and is no withdrawal', () => {
    const matched = row('outflow:x', { state: 'matched', link: 'withdrawal:a' });
    expect(slotOf(row('withdrawal:a'), matched)).toMatchObject({ notional: 10n, count: 1 });
    expect(slotOf(row('outflow:x', { state: 'kept' }))).toMatchObject({ notional: 5n, count: 0 });
    expect(slotOf(row('outflow:x', { state: 'unmatched' }))).toMatchObject({ count: 1 });
    expect(slotOf(row('withdrawal:a', { state: 'matched' }))).toMatchObject({ count: 1 });
  });

  test('behavior: an outflow that was seen before its report carries the charge of both', () => {
    const late = row('withdrawal:a', { state: 'matched' }, false);
    const links = ['withdrawal:b', 'withdrawal:a'];
    expect(slotOf(late, row('outflow:x', { state: 'matched', links }))).toMatchObject({ count: 1 });
    const other = row('outflow:y', {}, false);
    const linked = row('outflow:x', { state: 'matched', link: 'outflow:y' });
    expect(slotOf(other, linked)).toMatchObject({ count: 0 });
  });
});

describe('differences', () => {
  const sums = Rebuild.rebuild([row('withdrawal:a')], Build.shortHash);
  const items = new Map(
    [...sums].map(([scope, slots]) => [scope, Rebuild.raised(Build.item(), slots)] as const),
  );
  const global = items.get('global')!;
  const found = (item: Ledger.Item) =>
    Rebuild.differences(new Map([...items, ['global', item]]), sums);
  const changed = (more: Partial<Meter.Slot>): Ledger.Item => ({
    ...global,
    meter: {
      ...global.meter,
      steps: global.meter.steps.map((slots) => slots.map((slot) => ({ ...slot, ...more }))),
    },
  });

  test('default: none; the newest time is that of the finest slot', () => {
    expect(found(global)).toEqual([]);
    expect(global.meter.newestMs).toBe(Math.floor(Build.T0_MS / 6_000) * 6_000);
  });

  test('behavior: H88: size, amount, count and assets each; lower where the meter holds less', () => {
    const [first, ...others] = found(changed({ count: 0 }));
    expect(others).toHaveLength(Meter.LADDER.length - 1);
    expect(first).toEqual({
      scope: 'global',
      step: 0,
      index: Math.floor(Build.T0_MS / 6_000),
      lower: true,
      text: `global, step 0, slot ${Math.floor(Build.T0_MS / 6_000)}: the meter has 5 / 0 / 0 / [${Build.shortHash(Build.USDC)}], the rows sum up to 5 / 0 / 1 / [${Build.shortHash(Build.USDC)}]`,
    });
    const lower = (more: Partial<Meter.Slot>) => found(changed(more)).map((one) => one.lower)[0];
    expect([lower({ notional: 4n }), lower({ amount: -1n })]).toEqual([true, true]);
    expect([lower({ notional: 6n }), lower({ amount: 1n }), lower({ count: 2 })]).toEqual([
      false,
      false,
      false,
    ]);
    expect(lower({ assets: [] })).toBe(false);
  });

  test('behavior: a slot may name more assets than the rows, and one that lost its names names all', () => {
    const [mine] = global.meter.steps[0]![0]!.assets;
    expect(found(changed({ assets: [mine!, 1, 2] }))).toEqual([]);
    expect(found(changed({ assets: Meter.SATURATED_ASSETS }))).toEqual([]);
    const others = Array.from({ length: Meter.ASSETS_MAX }, (_, at) => at);
    expect(found(changed({ assets: others }))).not.toEqual([]);
  });

  test('behavior: what a meter may have forgotten is not looked for, everything else is', () => {
    const empty = (newestMs: number) =>
      found({ ...global, meter: { newestMs, steps: Meter.LADDER.map(() => []) } }).map(
        ({ step }) => step,
      );
    expect(empty(Build.T0_MS)).toHaveLength(Meter.LADDER.length);
    const endMs = (Math.floor(Build.T0_MS / 6_000) + 1) * 6_000;
    expect(empty(endMs + Build.MINUTE_MS - 1)).toContain(0);
    expect(empty(endMs + Build.MINUTE_MS)).not.toContain(0);
    const missing = Rebuild.differences(new Map(), sums);
    expect(missing.some(({ scope }) => scope === 'global')).toBe(true);
  });
});

describe('raised', () => {
  const charged = (rowId: string, asset: AssetId, chargedAtMs = Build.T0_MS) => {
    const leg = { asset, amount: 5n, notional: 5n, pricePicoUsd: 1n };
    const { money } = row(rowId);
    return row(rowId, { money: { ...money!, charged: [leg], chargedAtMs } });
  };
  const raisedBy = (...rows: readonly Ledger.Row[]) =>
    Rebuild.raised(Build.item(), Rebuild.rebuild(rows, Build.shortHash).get('global')!).meter;

  test('behavior: of an item that is missing the newest time is that of the finest slot', () => {
    const atMs = Build.T0_MS + 13_000;
    const { newestMs } = raisedBy(charged('withdrawal:a', Build.USDC, atMs));
    expect(newestMs).toBe(Math.floor(atMs / 6_000) * 6_000);
  });

  test('behavior: H88: of hours of rows only the slots that a window reaches, or nobody could read the meter', () => {
    const rows = Array.from({ length: 1_100 }, (_, n) =>
      charged(`withdrawal:${n}`, Build.USDC, Build.T0_MS + n * 6_000),
    );
    const meter = raisedBy(...rows);
    expect(Codec.fromMeterBytes(Codec.toMeterBytes(meter))).toEqual(meter);
    const counted = rows.reduce(
      (sofar, { money }) =>
        Meter.charge(sofar, Build.charge({ notional: 5n, count: 1 }), money!.chargedAtMs),
      Meter.EMPTY,
    );
    const indices = (of: Meter.Meter) => of.steps.map((slots) => slots.map(({ index }) => index));
    expect(indices(meter)).toEqual(indices(counted));
  });

  test('behavior: assets are kept in one order, and of too many that they are', () => {
    const [usdc, eth] = [charged('withdrawal:a', Build.USDC), charged('withdrawal:b', Build.ETH)];
    const { assets = [] } = raisedBy(usdc, eth).steps[0]?.[0] ?? {};
    expect(assets).toEqual([...assets].sort((left, right) => left - right));
    expect(raisedBy(eth, usdc)).toEqual(raisedBy(usdc, eth));
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) =>
        charged(`withdrawal:${n}`, `eip155:1/erc20:0x${n.toString(16).padStart(40, '0')}`),
      );
    expect(raisedBy(...many(Meter.ASSETS_MAX)).steps[0]?.[0]?.assets).toHaveLength(
      Meter.ASSETS_MAX,
    );
    const lost = raisedBy(...many(Meter.ASSETS_MAX + 6)).steps[0]?.[0]?.assets;
    expect(lost).toEqual(Meter.SATURATED_ASSETS);
  });

  test('behavior: slots of the meter and of the rows, newest first; its time never runs back', () => {
    const sums = Rebuild.rebuild([row('withdrawal:a')], Build.shortHash).get('global')!;
    const laterMs = Build.T0_MS + 12_000;
    const slot = {
      index: Math.floor(laterMs / 6_000),
      notional: 9n,
      amount: 0n,
      count: 1,
      assets: [],
    };
    const older = { ...slot, index: Math.floor(Build.T0_MS / 6_000) - 1 };
    const steps = Meter.LADDER.map((_, step) => (step === 0 ? [slot, older] : []));
    const { meter } = Rebuild.raised(Build.item({ meter: { newestMs: laterMs, steps } }), sums);
    expect(meter.newestMs).toBe(laterMs);
    expect(meter.steps[0]?.map(({ notional }) => notional)).toEqual([9n, 5n, 9n]);
    expect(meter.steps[1]?.map(({ notional }) => notional)).toEqual([5n]);
  });
});

/** A report, an outflow of one that is open, an outflow of nobody, or the end of one that is open. */
function entryOf(number: number, open: string[], random: () => number) {
  const choice = random();
  const [some] = choice < 0.55 ? open.splice(Math.floor(random() * open.length), 1) : [];
  if (some !== undefined && choice < 0.3) {
    const evidence = { kind: 'never-signed', reference: 'signer' } as const;
    const kind = choice < 0.15 ? 'failed' : 'cancelled';
    return { kind: 'outcome', outcome: { kind, withdrawalId: some, evidence } } as const;
  }
  const amount = 1_000n + BigInt(Math.floor(random() * 5_000_000));
  const wallets = [Build.HOT_1, Build.HOT_2, Build.HOT_3];
  const account = wallets[number % wallets.length] ?? Build.HOT_1;
  const transfer = Build.transfer({ account, asset: Build.USDC, amount });
  if (some !== undefined) {
    const shared = { transaction: `tx-${number}`, place: 'top', withdrawalId: some } as const;
    return incoming({ ...Build.outflow(shared), transfer });
  }
  if (choice > 0.95)
    return incoming({ ...Build.outflow({ transaction: `x-${number}` }), transfer });
  const withdrawalId = `w-${number}`;
  open.push(withdrawalId);
  return incoming({ ...Build.withdrawal(withdrawalId), transfer });
}

function incoming(event: Withdrawal.Withdrawal | Withdrawal.Outflow) {
  const bodyHash = Build.hash(Withdrawal.canonicalBody(event.transfer));
  return { kind: 'transfer', event, bodyHash, lagMs: 0 } as const;
}
