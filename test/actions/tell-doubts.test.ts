import { describe, expect, test } from 'vitest';
import { createDoubtTeller } from '../../lib/actions/tell-doubts.ts';
import { createMemoryStore } from '../../lib/adapters/memory/store.ts';
import type { Doubt } from '../../lib/domain/block.ts';
import { CHAIN, HOUR_MS, T0_MS } from '../support/builders.ts';

const lag: Doubt = { kind: 'lag', endpoint: 'one', text: 'one is 9 blocks behind' };
const missing: Doubt = { kind: 'missing', endpoint: 'two', text: 'two left something out' };

function teller() {
  const told: string[] = [];
  const clock = { at: T0_MS };
  const store = createMemoryStore({
    onControlChange: (record) => {
      if (record.type === 'alert-raised') told.push(record.alert.text);
    },
  });
  const deps = { alerts: store.alerts, clock: { nowMs: () => clock.at } };
  return { told, clock, tell: createDoubtTeller(deps, CHAIN) };
}

describe('createDoubtTeller', () => {
  test('default: what an endpoint left out is told at once, and once an hour', async () => {
    const { told, clock, tell } = teller();
    await tell([missing]);
    await tell([missing]);
    expect(told).toEqual([`${CHAIN}: two left something out`]);
    clock.at += HOUR_MS;
    await tell([missing]);
    expect(told).toHaveLength(2);
  });

  test('behavior: H69 a lag is told when it lasts three steps, and not for a moment', async () => {
    const { told, tell } = teller();
    await tell([lag]);
    await tell([lag]);
    await tell([]);
    await tell([lag]);
    await tell([lag]);
    expect(told).toEqual([]);
    await tell([lag]);
    expect(told).toEqual([`${CHAIN}: one is 9 blocks behind`]);
  });
});
