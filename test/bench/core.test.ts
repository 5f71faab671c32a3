import { describe, expect, test } from 'vitest';
import { decideNext } from '../../bench/core.ts';
import { incoming, withdrawal } from '../../bench/events.ts';
import { policySource } from '../../bench/sample-policy.ts';
import { parsePolicy } from '../../lib/adapters/policy-file/parse.ts';
import * as Meter from '../../lib/domain/meter.ts';

const WINDOW = { windowMs: 3_600_000, widenMs: 0 };

describe('decideNext', () => {
  test('behavior: every event is new, and the meters keep what it added', () => {
    const events = [1n, 2n, 3n].map((amount) =>
      incoming(withdrawal({ id: `w-${amount}`, amount: amount * 10n ** 18n })),
    );
    const policy = parsePolicy(policySource(1));
    const core = { policy, events, items: new Map(), nowMs: Date.UTC(2023, 8, 12), decided: 0 };
    const decisions = [decideNext(core, 2), decideNext(core, 2), decideNext(core, 1)];
    const results = decisions.flatMap(({ outcomes }) => outcomes.map(({ result }) => result));
    expect(results).toEqual(Array.from({ length: 4 }, () => 'new-withdrawal'));
    expect(core.decided).toBe(4);
    const meter = core.items.get('global')?.meter ?? Meter.EMPTY;
    const sum = (metric: Meter.Metric) =>
      Meter.outflow(meter, { ...WINDOW, metric, nowMs: core.nowMs });
    expect([sum('count'), sum('notional')]).toEqual([4n, (1n + 2n + 3n + 1n) * 1_500_000_000n]);
  });
});
