import { describe, expect, test } from 'vitest';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reportOverdue } from '../../lib/actions/report-overdue.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const { CHAIN, DAY_MS, HOUR_MS } = Build;
const WATCHED = [
  { pattern: CHAIN, name: 'Ethereum', watch: { confirmations: 0, blindAfterMs: 120_000 } },
];

/** A world, and what is told in it. */
async function ready(chains = WATCHED): Promise<TestWorld & { readonly told: Ledger.Alert[] }> {
  const made = await readyWorld(Build.policy({ chains }));
  return { ...made, told: [] };
}

type Ready = Awaited<ReturnType<typeof ready>>;

async function report({ world, told }: Ready): Promise<void> {
  const { policy, clock } = world.decision;
  const alerts = { raise: async (alert: Ledger.Alert) => void told.push(alert) };
  await reportOverdue({ openReservations: world.store.openReservations, alerts, policy, clock });
}

async function tell({ world }: Ready, event: Parameters<typeof Build.incoming>[0]): Promise<void> {
  await recordEvents(world.decision, [Build.incoming(event)]);
}

describe('reportOverdue', () => {
  test('default: nobody waits, nobody is told', async () => {
    const made = await ready();
    await report(made);
    expect(made.told).toEqual([]);
  });

  test.each([
    [DAY_MS, 0],
    [DAY_MS + 1, 1],
  ])('behavior: reported, not seen for %d ms: told %d times', async (laterMs, times) => {
    const made = await ready();
    await tell(made, Build.withdrawal('w-1'));
    made.clock.nowMs += laterMs;
    await report(made);
    expect(made.told.map(({ kind }) => kind)).toEqual(Array(times).fill('unseen'));
  });

  test('behavior: once it was seen nobody is told', async () => {
    const made = await ready();
    await tell(made, Build.withdrawal('w-1'));
    await tell(made, Build.outflow({ transaction: '0xa' }));
    made.clock.nowMs += DAY_MS + 1;
    await report(made);
    expect(made.told).toEqual([]);
  });

  test('behavior: where nobody looks, nothing can be seen, and nobody is told', async () => {
    const made = await ready([{ pattern: CHAIN, name: 'Ethereum' }] as never);
    await tell(made, Build.withdrawal('w-1'));
    made.clock.nowMs += 2 * DAY_MS;
    await report(made);
    expect(made.told).toEqual([]);
  });

  test('behavior: one that was admitted is overdue first, and unseen once it was said to be sent', async () => {
    const made = await ready();
    const withdrawal = Build.withdrawal('w-1');
    const { bodyHash } = Build.incoming(withdrawal);
    await reserveWithdrawals(made.world.reserve, {
      asks: [{ withdrawal, bodyHash }],
      audience: 'signer',
    });
    made.clock.nowMs += 6 * HOUR_MS + 1;
    await report(made);
    expect(made.told.map(({ kind }) => kind)).toEqual(['overdue']);
  });
});
