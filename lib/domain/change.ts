/** Whether something new lets more happen than what was there: one verdict for each field, with its reason. */

import type { Policy } from './policy.ts';

/**
 * What a change does. `loosens`: something that was refused, stopped or told may pass, or pass untold; also
 * whatever cannot be compared. `revokes`: takes a right from people, and lets nothing pass. `tightens`:
 * never lets anything pass that was refused. `neutral`: decides nothing.
 */
export type Direction = 'loosens' | 'revokes' | 'tightens' | 'neutral';

/** A direction with its reason, in one line for people. */
export type Verdict = { readonly direction: Direction; readonly why: string };

/** One change. `before` or `after` is absent where the thing came or went. */
export type Change = Verdict & {
  /** What changes, such as `limit wallet-hour`. */
  readonly what: string;
  /** The field of it, such as `limit`; absent where the whole thing came or went. */
  readonly field?: string;
  readonly before?: string;
  readonly after?: string;
};

/** The two policies. */
export type Both = { readonly before: Policy; readonly after: Policy };

/** Two values of one type. */
export type Pair<Value> = { readonly before: Value; readonly after: Value };

/** How one field is shown (empty: absent), and how a change of it is judged; called only where it differs. */
export type Rule<Whole> = {
  readonly show: (whole: Whole, policy: Policy) => string;
  readonly judge: (pair: Pair<Whole>, both: Both) => Verdict;
};

/** A rule for every field of a type, also those that may be absent: a new field does not compile without one. `key`: it names the thing. */
export type Rules<Whole> = { readonly [Field in keyof Required<Whole>]: Rule<Whole> | 'key' };

/** How policy files call fields that have another name here. */
const NAMES: Readonly<Record<string, string>> = {
  windowMs: 'window',
  allowed: 'limit',
  warnBps: 'warn',
  floorPricePicoUsd: 'floorPriceUsd',
  sources: 'price',
  deductedFeeMax: 'deductedFeeMaxUsd',
  graceMs: 'grace',
  unseenMs: 'unseen',
  outstandingMax: 'outstandingPerActor',
  overdueMs: 'overdue',
  clockToleranceMs: 'clockTolerance',
  admissionMs: 'admission',
  commitDelayMs: 'commitDelay',
  leaseMs: 'lease',
  delayMs: 'delay',
  budget: 'budgetUsd',
};

/** Strictest last. */
const ORDER: readonly Direction[] = ['neutral', 'tightens', 'revokes', 'loosens'];

/** Judged as loosening. */
export function loosens(why: string): Verdict {
  return { direction: 'loosens', why };
}
/** Judged as tightening. */
export function tightens(why: string): Verdict {
  return { direction: 'tightens', why };
}
/** Judged as taking a right from people. */
export function revokes(why: string): Verdict {
  return { direction: 'revokes', why };
}
/** Judged as deciding nothing. */
export function neutral(why: string): Verdict {
  return { direction: 'neutral', why };
}

/** The direction of all of them together: what loosens anywhere loosens. No change is `neutral`. */
export function direction(verdicts: readonly Pick<Verdict, 'direction'>[]): Direction {
  return verdicts.reduce<Direction>(
    (worst, { direction: next }) => (ORDER.indexOf(next) > ORDER.indexOf(worst) ? next : worst),
    'neutral',
  );
}

/** The verdict that decides, or `otherwise` where there is none. */
export function worst(verdicts: readonly Verdict[], otherwise: Verdict): Verdict {
  const decides = direction(verdicts);
  const found = verdicts.find((verdict) => verdict.direction === decides);
  return found ? { direction: found.direction, why: found.why } : otherwise;
}

/** A rule for a quantity of which more lets more pass. */
export function moreLoosens<Whole>(
  value: (whole: Whole) => number | bigint,
  words: { readonly show: Rule<Whole>['show']; readonly up: string; readonly down: string },
): Rule<Whole> {
  const { show, up, down } = words;
  return {
    show,
    judge: ({ before, after }) => (value(after) > value(before) ? loosens(up) : tightens(down)),
  };
}

/** A rule for a word of several, the strictest first. */
export function ranked<Whole>(
  value: (whole: Whole) => string,
  strictestFirst: readonly string[],
  words: { readonly looser: string; readonly stricter: string },
): Rule<Whole> {
  const rank = (whole: Whole) => strictestFirst.indexOf(value(whole));
  return {
    show: value,
    judge: ({ before, after }) =>
      rank(before) >= 0 && rank(after) >= 0 && rank(after) < rank(before)
        ? tightens(words.stricter)
        : loosens(words.looser),
  };
}

/** Every field that differs between two of a kind. */
export function fields<Whole extends object>(
  what: string,
  rules: Rules<Whole>,
  given: Pair<Whole> & { readonly both: Both },
): readonly Change[] {
  const { before, after, both } = given;
  const names = Object.keys(rules) as (keyof Required<Whole> & string)[];
  return names.flatMap((field): readonly Change[] => {
    const rule = rules[field];
    if (rule === 'key' || isSame(before[field], after[field])) return [];
    const shown = {
      before: rule.show(before, both.before) || 'none',
      after: rule.show(after, both.after) || 'none',
    };
    const name = NAMES[field] ?? field;
    return [{ what, field: name, ...shown, ...rule.judge({ before, after }, both) }];
  });
}

/** How a list of named things is judged. */
export type List<Entry extends object> = {
  readonly of: (policy: Policy) => readonly Entry[];
  readonly name: (entry: Entry) => string;
  readonly rules: Rules<Entry>;
  readonly come: (entry: Entry, both: Both) => Verdict;
  readonly go: (entry: Entry, both: Both) => Verdict;
};

/** Every entry that came, went or differs; what went comes last. */
export function entries<Entry extends object>(list: List<Entry>, both: Both): readonly Change[] {
  const { of, name, rules } = list;
  const old = new Map(of(both.before).map((entry) => [name(entry), entry]));
  const next = new Map(of(both.after).map((entry) => [name(entry), entry]));
  const kept = [...next].flatMap(([what, after]): readonly Change[] => {
    const before = old.get(what);
    if (before) return fields(what, rules, { before, after, both });
    return [{ what, after: summary(rules, after, both.after), ...list.come(after, both) }];
  });
  const gone = [...old].flatMap(([what, before]): readonly Change[] =>
    next.has(what)
      ? []
      : [{ what, before: summary(rules, before, both.before), ...list.go(before, both) }],
  );
  return [...kept, ...gone];
}

function summary<Whole extends object>(rules: Rules<Whole>, whole: Whole, policy: Policy): string {
  return Object.entries<Rule<Whole> | 'key'>(rules)
    .flatMap(([field, rule]) => {
      const text = rule === 'key' ? '' : rule.show(whole, policy);
      return text === '' ? [] : [`${NAMES[field] ?? field} ${text}`];
    })
    .join(', ');
}

/** Whether two values are the same all the way down; a field that is absent is as one that is undefined. */
export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || !left || !right) return false;
  const [one, other] = [left, right] as Record<string, unknown>[];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return (
    Array.isArray(left) === Array.isArray(right) &&
    [...keys].every((key) => isSame(one?.[key], other?.[key]))
  );
}
