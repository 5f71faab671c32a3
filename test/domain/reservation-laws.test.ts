/** Laws of reservations over random schedules, against a list of charges that shares no code with the domain. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type * as Reservation from '../../lib/domain/reservation.ts';
import {
  HOUR_MS,
  incoming,
  limit,
  MINUTE_MS,
  outflow,
  policy,
  SECOND_MS,
  T0_MS,
  usd,
  withdrawal,
} from '../support/builders.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from '../support/ledger-check.ts';
import { openScopes, reserve, submit, type World, world } from '../support/world.ts';

const ALLOWED = 1_000;
const LIFE_MS = 30 * SECOND_MS;
const OPEN_MAX = 4;
const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
const rules = policy({ limits: [limit({ allowed: usd(ALLOWED) })], outstandingMax: OPEN_MAX });

type Step = { readonly deltaMs: number } & (
  | { readonly kind: 'ask'; readonly ids: readonly string[] }
  | { readonly kind: 'leaves'; readonly id: string }
);

/** Each id is one withdrawal of one customer of two. */
const sizes = fc.record(
  Object.fromEntries(
    IDS.map((id) => [id, fc.constantFrom(0, 1, 250, 333, 500, 999, 1_000, 1_001)]),
  ),
);
const id = fc.constantFrom(...IDS);
const deltaMs = fc.oneof(
  fc.constantFrom(0, 1, LIFE_MS - 1, LIFE_MS, LIFE_MS + 1, 6 * MINUTE_MS, HOUR_MS, -MINUTE_MS),
  fc.nat({ max: 70 * MINUTE_MS }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      ids: fc.array(id, { minLength: 1, maxLength: 4 }),
      deltaMs,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leaves' as const), id, deltaMs }) },
);

function actorOf(name: string): string {
  return name < 'e' ? 'one' : 'two';
}

/** When an id may leave: from its charge to the end of its admission. */
type Span = { readonly name: string; readonly fromMs: number; readonly toMs: number };

/** The naive model: what each id was charged and when, and what became of it. */
type Model = {
  readonly size: Readonly<Record<string, number>>;
  readonly charges: Map<string, { atMs: number; untilMs: number; left: boolean }>;
  readonly spans: Span[];
  newestMs: number;
};

/** What the answer must be, by adding up a list. */
function expected(model: Model, name: string, workerMs: number): string {
  const { charges, size } = model;
  const nowMs = Math.max(workerMs, model.newestMs);
  const own = charges.get(name);
  if (own?.left) return 'block final';
  const open = [...charges].filter(
    ([other, { left }]) => !left && actorOf(other) === actorOf(name),
  );
  if (!own && open.length >= OPEN_MAX) return 'block outstanding';
  if (own && own.untilMs > nowMs) return `allow until ${own.untilMs}`;
  const slot = (atMs: number) => Math.floor(atMs / 360_000);
  const oldest = slot(nowMs - HOUR_MS - 40_000);
  const others = [...charges].filter(([other, { atMs }]) => other !== name && slot(atMs) >= oldest);
  const used = others.reduce((sum, [other]) => sum + size[other]!, 0);
  if (used + size[name]! > ALLOWED) return 'block limit';
  const untilMs = nowMs + LIFE_MS;
  charges.set(name, { atMs: nowMs, untilMs, left: false });
  model.spans.push({ name, fromMs: nowMs, toMs: untilMs });
  model.newestMs = nowMs;
  return `allow until ${untilMs}`;
}

function ask(model: Model, name: string): Reservation.Ask {
  const body = { amount: usd(model.size[name]!), actor: actorOf(name) };
  const event = withdrawal(name, body);
  return { withdrawal: event, bodyHash: incoming(event).bodyHash };
}

function play(
  size: Readonly<Record<string, number>>,
  steps: readonly Step[],
): { readonly here: World; readonly model: Model } {
  const here = world();
  const model: Model = { size, charges: new Map(), spans: [], newestMs: 0 };
  let nowMs = T0_MS;
  for (const one of steps) {
    nowMs += one.deltaMs;
    if (one.kind === 'ask') {
      const asks = one.ids.map((name) => ask(model, name));
      const { verdicts } = reserve(here, { policy: rules, nowMs, asks });
      const answers = verdicts.map((verdict) =>
        verdict.kind === 'allow'
          ? `allow until ${verdict.expiresAtMs}`
          : `${verdict.kind} ${verdict.reason}`,
      );
      expect(answers).toEqual(one.ids.map((name) => expected(model, name, nowMs)));
    } else if (model.charges.get(one.id)?.left === false) {
      const body = { amount: usd(size[one.id]!) };
      const seen = outflow({ transaction: `0x${one.id}`, withdrawalId: one.id }, body);
      submit(here, { policy: rules, nowMs, events: [incoming(seen)] });
      model.charges.get(one.id)!.left = true;
    }
    expectMetersToCover(here);
    expectOutstandingToBeRows(here);
  }
  return { here, model };
}

describe('decide', () => {
  test('behavior: every answer is that of a list of charges, meters are the sum of the rows', () => {
    fc.assert(
      fc.property(sizes, fc.array(step, { maxLength: 25 }), (size, steps) => {
        const { here } = play(size, steps);
        expect(openScopes(here)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('behavior: P5: whenever within its admissions each one leaves, in no hour leaves more than the limit', () => {
    fc.assert(
      fc.property(sizes, fc.array(step, { maxLength: 25 }), (size, steps) => {
        const { spans } = play(size, steps).model;
        // An hour that is fullest begins where one of them may leave last.
        for (const { toMs: startMs } of spans) {
          const endMs = startMs + HOUR_MS;
          const within = spans.filter(({ fromMs, toMs }) => toMs >= startMs && fromMs <= endMs);
          const most = [...new Set(within.map(({ name }) => name))].reduce(
            (sum, name) => sum + size[name]!,
            0,
          );
          expect(most).toBeLessThanOrEqual(ALLOWED);
        }
      }),
      { numRuns: 150 },
    );
  });
});
