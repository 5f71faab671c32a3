import { describe, expect, test } from 'vitest';
import { recordBatch } from '../../lib/actions/record-batch.ts';
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
