/** Laws of the limits over random schedules, against a list of admissions that shares no code with the domain. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Evaluate from '../../lib/domain/evaluate.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Scope from '../../lib/domain/scope.ts';
import {
  charge,
  HOUR_MS,
  item,
  limit,
  MINUTE_MS,
  policy,
  SECOND_MS,
  subject,
  T0_MS,
} from '../support/builders.ts';

const ALLOWED = 100;
/** The third wallet is in no policy. */
const WALLETS = ['hot-1', 'hot-2', 'nobody-1'] as const;
const KINDS = ['wallet-asset', 'wallet', 'key-domain', 'global'] as const;

type Ask = { readonly wallet: number; readonly size: number; readonly deltaMs: number };

/** The lives of the admissions of each of {@link WALLETS}. */
type Lives = readonly [number, number, number];

/** Money that may leave at any time from its charge to the end of its admission. */
type Span = {
  readonly scope: Scope.Key;
  readonly size: number;
  readonly fromMs: number;
  readonly toMs: number;
};

const lifeMs = fc.oneof(
  fc.constantFrom(SECOND_MS, 30 * SECOND_MS, 10 * MINUTE_MS, 15 * MINUTE_MS),
  fc.integer({ min: SECOND_MS, max: 15 * MINUTE_MS }),
);
const lives: fc.Arbitrary<Lives> = fc.tuple(lifeMs, lifeMs, lifeMs);
const asks: fc.Arbitrary<readonly Ask[]> = fc.array(
  fc.record({
    wallet: fc.nat({ max: WALLETS.length - 1 }),
    size: fc.constantFrom(1, 50, 99, 100),
    deltaMs: fc.oneof(
      fc.constantFrom(0, MINUTE_MS, 6 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, HOUR_MS + MINUTE_MS),
      fc.nat({ max: 80 * MINUTE_MS }),
    ),
  }),
  { maxLength: 30 },
);

/** A policy with one limit, by the hour; the last life is the default. */
function rulesFor(scope: Scope.Kind, [first, second, byDefault]: Lives) {
  const { wallets, timing } = policy();
  const own: Readonly<Record<string, number>> = { 'hot-1': first, 'hot-2': second };
  return policy({
    limits: [limit({ scope, allowed: BigInt(ALLOWED) })],
    wallets: wallets.map((wallet) => ({ ...wallet, admissionMs: own[wallet.name] })),
    timing: { ...timing, admissionMs: byDefault },
  });
}

/** Charges what the limit does not refuse, and says when it may leave. */
function admitted(kind: Scope.Kind, life: Lives, schedule: readonly Ask[]): readonly Span[] {
  const rules = rulesFor(kind, life);
  const items = new Map<Scope.Key, Ledger.Item>();
  const spans: Span[] = [];
  let nowMs = T0_MS;
  for (const { wallet, size, deltaMs } of schedule) {
    nowMs += deltaMs;
    const touched = subject({ wallet: WALLETS[wallet]! });
    const scope = Scope.key(Scope.of(kind, touched));
    const meter = items.get(scope)?.meter ?? Meter.EMPTY;
    const charged = Meter.charge(meter, charge({ notional: BigInt(size) }), nowMs);
    const after = new Map(items).set(scope, item({ meter: charged }));
    const event = { subject: touched, notional: BigInt(size), before: items, after, nowMs };
    if (Evaluate.breaches(rules, event).length > 0) continue;
    items.set(scope, after.get(scope)!);
    spans.push({ scope, size, fromMs: nowMs, toMs: nowMs + life[wallet]! });
  }
  return spans;
}

describe('breaches', () => {
  test('behavior: P5: whatever the lives of admissions, in no hour leaves more than a limit', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), lives, asks, (kind, life, schedule) => {
        const spans = admitted(kind, life, schedule);
        // An hour that is fullest begins where one of them may leave last.
        for (const { scope, toMs: startMs } of spans) {
          const most = spans
            .filter((span) => span.scope === scope)
            .filter(({ fromMs, toMs }) => toMs >= startMs && fromMs <= startMs + HOUR_MS)
            .reduce((sum, { size }) => sum + size, 0);
          expect(most).toBeLessThanOrEqual(ALLOWED);
        }
      }),
      { numRuns: 600 },
    );
  });
});
