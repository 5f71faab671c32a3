import { describe, expect, test } from 'vitest';
import type * as Decision from '../../lib/domain/decision.ts';
import * as FirstSight from '../../lib/domain/first-sight.ts';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';
import { CUSTOMER, ETH, HOT_1, hash, item, policy, T0_MS } from '../support/builders.ts';
import { submit, type World, world } from '../support/world.ts';

const outflow = (amount: bigint, transaction = '0xaa'): Withdrawal.Outflow => ({
  kind: 'outflow',
  transaction,
  place: 'top',
  nonce: 1,
  transfer: { account: HOT_1, asset: ETH, destination: CUSTOMER, amount },
});
const sighted = (event: Withdrawal.Outflow): Decision.Incoming => ({
  kind: 'sighted',
  event,
  bodyHash: hash(Withdrawal.canonicalBody(event.transfer)),
});
const counted = (event: Withdrawal.Outflow): Decision.Incoming => ({
  kind: 'transfer',
  event,
  bodyHash: hash(Withdrawal.canonicalBody(event.transfer)),
  lagMs: 0,
  wasSighted: true,
});
const reported = (withdrawalId: string, amount: bigint): Decision.Incoming => {
  const { transfer } = outflow(amount);
  const event = { kind: 'withdrawal', withdrawalId, transfer } as const;
  return { kind: 'transfer', event, bodyHash: hash(Withdrawal.canonicalBody(transfer)), lagMs: 0 };
};

const see = (here: World, events: readonly Decision.Incoming[], rules = policy()) =>
  submit(here, { policy: rules, nowMs: T0_MS, events }).outcomes;

describe('see', () => {
  test('default: H62 H73 what nobody approved trips, charges nothing, and is told once', () => {
    const here = world();
    const [first] = see(here, [sighted(outflow(5n))]);
    expect(first).toMatchObject({ result: 'sighted', trips: [{ scope: 'key-domain:vault-a' }] });
    expect(here.items.get('wallet:hot-1')?.meter.newestMs ?? 0).toBe(0);
    expect(here.rows.get('sighted:outflow:eip155:1:0xaa:top')?.state).toBe('noted');
    expect(see(here, [sighted(outflow(5n))])).toMatchObject([{ result: 'expected', trips: [] }]);
  });

  test('behavior: what is open already and what covers it stay so under a condition of the decision', () => {
    const here = world();
    const rules = policy({ unmatched: { scope: 'wallet', risks: 'pause' } });
    const breaker = { state: 'open', epoch: 1, openedAtMs: T0_MS, causes: 1 } as const;
    const stopped = ['key-domain:vault-a', 'wallet:hot-1', `destination:${CUSTOMER}`];
    for (const key of stopped) {
      here.items.set(key, item({ breaker: { ...breaker, incidentId: key } }));
    }
    see(here, [sighted(outflow(5n))], rules);
    for (const key of stopped) expect(here.items.get(key)?.version).toBe(item().version + 1);
  });

  test('behavior: that what covers it is closed, and does not resume, is a condition too', () => {
    const here = world();
    const rules = policy({ unmatched: { scope: 'wallet', risks: 'pause' } });
    here.items.set('key-domain:vault-a', item());
    see(here, [sighted(outflow(5n))], rules);
    expect(here.items.get('key-domain:vault-a')?.version).toBe(item().version + 1);
  });

  test('behavior: H63 what is approved passes, and its approval is there when it is counted', () => {
    const here = world();
    see(here, [reported('w-1', 5n)]);
    const before = here.rows.size;
    expect(see(here, [sighted(outflow(5n))])).toMatchObject([{ result: 'expected', trips: [] }]);
    expect(here.rows.size).toBe(before);
    expect(see(here, [counted(outflow(5n))])).toMatchObject([
      { result: 'matched-outflow', trips: [] },
    ]);
    // A second one like it passed at first sight, and does not when it is counted.
    expect(see(here, [counted(outflow(5n, '0xbb'))])).toMatchObject([
      { result: 'unmatched-outflow', trips: [{ scope: 'key-domain:vault-a' }] },
    ]);
  });

  test('behavior: what is counted after it was told trips no second time', () => {
    const here = world();
    see(here, [sighted(outflow(5n))]);
    expect(see(here, [counted(outflow(5n))])).toMatchObject([
      { result: 'unmatched-outflow', trips: [] },
    ]);
  });

  test('behavior: what is counted already is expected', () => {
    const here = world();
    see(here, [counted(outflow(5n))]);
    expect(see(here, [sighted(outflow(5n))])).toMatchObject([{ result: 'expected' }]);
  });

  test('args: a grace for late reports: nothing trips before it is counted', () => {
    const rules = policy({ matching: { deductedFeeMax: 0n, graceMs: 1_000, unseenMs: 1_000 } });
    expect(see(world(), [sighted(outflow(5n))], rules)).toMatchObject([{ result: 'expected' }]);
  });

  test('behavior: H62 H63 what moves more than was approved trips at first sight, what is short of it does not', () => {
    const sent = (here: World) => {
      const { transfer } = outflow(5n);
      const event = {
        kind: 'withdrawal',
        withdrawalId: 'w-1',
        transfer,
        sent: { transaction: '0xaa' },
      } as const;
      const bodyHash = hash(Withdrawal.canonicalBody(transfer));
      see(here, [{ kind: 'transfer', event, bodyHash, lagMs: 0 }]);
    };
    const more = world();
    sent(more);
    expect(see(more, [sighted(outflow(6n))])).toMatchObject([
      { trips: [{ scope: 'key-domain:vault-a' }] },
    ]);
    expect(more.incidents.get('INC1')?.first.text).toContain(
      'it moves more than was approved; it is not confirmed yet',
    );
    expect(more.rows.get('sighted:outflow:eip155:1:0xaa:top')?.note).toMatch(/^first sight: it mo/);
    const same = world();
    sent(same);
    expect(see(same, [sighted(outflow(5n))])).toMatchObject([{ trips: [] }]);
  });

  test('behavior: nobody’s approval: it says so, and that it is not confirmed', () => {
    const here = world();
    see(here, [sighted(outflow(5n))]);
    expect(here.incidents.get('INC1')?.first.text).toMatch(/; it is not confirmed yet$/);
    expect(here.incidents.size).toBe(3);
  });

  test('args: shadow mode: nothing opens, and people hear of it', () => {
    const here = world();
    const [first] = see(here, [sighted(outflow(5n))], policy({ mode: 'shadow' }));
    expect(first).toMatchObject({ trips: [], wouldTrip: ['key-domain:vault-a'] });
    expect(here.incidents.size).toBe(0);
    expect(here.alerts.size).toBe(1);
  });
});

describe('rowIds', () => {
  test('default: its own, and those of the outflow', () => {
    const event = outflow(5n);
    expect(FirstSight.rowIds({ event, bodyHash: 'h' }).slice(0, 2)).toEqual([
      'sighted:outflow:eip155:1:0xaa:top',
      'outflow:eip155:1:0xaa:top',
    ]);
  });
});
