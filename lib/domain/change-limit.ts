/** Whether a changed limit lets more pass. */

import * as Change from './change.ts';
import * as Explain from './explain.ts';
import * as Money from './money.ts';
import { contains } from './pattern-overlap.ts';
import type * as Policy from './policy.ts';
import * as Scope from './scope.ts';

const { loosens, tightens } = Change;

const RULES: Change.Rules<Policy.Limit> = {
  limitId: 'key',
  scope: {
    show: ({ scope }) => scope,
    judge: () => loosens('totals of another scope are others'),
  },
  where: {
    show: ({ where }) => whereText(where),
    judge: ({ before, after }) =>
      isWider(before.where, after.where)
        ? tightens('it speaks of everything that it spoke of, and more')
        : loosens('it does not speak of all that it spoke of'),
  },
  metric: {
    show: ({ metric }) => metric,
    judge: () => loosens('another thing is counted'),
  },
  windowMs: {
    show: ({ windowMs }) => (windowMs === 0 ? '' : Explain.duration(windowMs)),
    judge: ({ before, after }) => {
      const share = [before, after].some(({ metric }) => metric === 'share');
      if (share) return loosens('a share of another balance, that at the start of another window');
      return after.windowMs > before.windowMs
        ? tightens('the same sum must last for longer')
        : loosens('the same sum may leave again sooner');
    },
  },
  allowed: Change.moreLoosens(({ allowed }) => allowed, {
    show: (limit, policy) => Explain.quantity(policy, limit, limit.allowed),
    up: 'more may leave',
    down: 'less may leave',
  }),
  warnBps: {
    show: ({ warnBps }) =>
      warnBps === undefined ? '' : `${Money.formatUnits(BigInt(warnBps), 2)}%`,
    judge: ({ before, after }) =>
      (after.warnBps ?? Infinity) > (before.warnBps ?? Infinity)
        ? loosens('people hear of it later, or not at all')
        : tightens('people hear of it earlier'),
  },
  action: {
    show: ({ action }) => (action.kind === 'pause' ? `pause ${action.scope}` : action.kind),
    judge: ({ before, after }) => judgeAction(before.action, after.action),
  },
  tripOnRefusal: {
    show: ({ tripOnRefusal }) => (tripOnRefusal ? 'true' : ''),
    judge: ({ before, after }) => {
      if (!after.tripOnRefusal === !before.tripOnRefusal) return Change.neutral('absent is false');
      return after.tripOnRefusal
        ? tightens('what does not fit also opens the breaker')
        : loosens('what does not fit is refused alone');
    },
  },
  mode: Change.ranked(({ mode }) => mode, ['enforce', 'shadow'], {
    looser: 'it only tells what it would have done',
    stricter: 'it acts',
  }),
};

/** The limits of a policy. */
export const LIMITS: Change.List<Policy.Limit> = {
  of: ({ limits }) => limits,
  name: ({ limitId }) => `limit ${limitId}`,
  rules: RULES,
  come: ({ action, mode }) =>
    mode === 'shadow' || action.kind === 'alert'
      ? Change.neutral('one more that only tells')
      : tightens('one more limit, with the history of what has left'),
  go: () => loosens('what it refused or told passes'),
};

const KINDS: readonly Policy.Action['kind'][] = ['pause', 'hold', 'alert'];

function judgeAction(before: Policy.Action, after: Policy.Action): Change.Verdict {
  const [was, is] = [KINDS.indexOf(before.kind), KINDS.indexOf(after.kind)];
  if (is !== was) return is < was ? tightens('it does more') : loosens('it does less');
  if (before.kind !== 'pause' || after.kind !== 'pause') return tightens('the same');
  return judgeScope(before.scope, after.scope);
}

/** What opening one kind of scope stops, held against another. */
export function judgeScope(before: Scope.Kind, after: Scope.Kind): Change.Verdict {
  return Scope.covers(after, before)
    ? tightens('a wider scope stops, the old one in it')
    : loosens('another scope stops, and not all of the old one');
}

/** Whether a narrowing speaks of all that another spoke of. */
function isWider(before: Policy.Where, after: Policy.Where): boolean {
  const names = Object.keys(after) as (keyof Policy.Where)[];
  return names.every((field) => {
    const [was, is] = [before[field], after[field]];
    return is === undefined || contains(is, was ?? '*');
  });
}

function whereText(where: Policy.Where): string {
  return Object.entries(where)
    .filter(([, pattern]) => pattern !== undefined)
    .map(([field, pattern]) => `${field}=${pattern}`)
    .sort()
    .join(' ');
}
