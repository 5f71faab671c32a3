/** Whether people get more rights, or resume more easily. */

import type { Step } from './breaker.ts';
import * as Change from './change.ts';
import { formatUsd } from './money.ts';
import { contains } from './pattern-overlap.ts';
import type * as Policy from './policy.ts';

const { loosens, tightens, revokes, neutral } = Change;

const OPERATOR: Change.Rules<Policy.Operator> = {
  name: 'key',
  address: { show: ({ address }) => address, judge: () => loosens('another key signs') },
  roles: {
    show: ({ roles }) => [...roles].sort().join(' '),
    judge: ({ before, after }) => {
      if (after.roles.some((role) => !before.roles.includes(role)))
        return loosens('somebody has one more right');
      return before.roles.some((role) => !after.roles.includes(role))
        ? revokes('somebody has one right less')
        : neutral('another order');
    },
  },
  contact: {
    show: ({ contact }) => contact ?? '',
    judge: () => neutral('for people; it decides nothing'),
  },
  iam: {
    show: ({ iam }) => iam ?? '',
    judge: ({ after }) =>
      after.iam === undefined
        ? revokes('no caller is taken for this operator')
        : loosens('another caller is taken for this operator'),
  },
};

/** The operators of a policy. */
export const OPERATORS: Change.List<Policy.Operator> = {
  of: ({ operators }) => operators,
  name: ({ name }) => `operator ${name}`,
  rules: OPERATOR,
  come: () => loosens('one more may resume, veto or stop everything'),
  go: () => revokes('somebody has no rights any more'),
};

/** The people to call. */
export const CONTACTS: Change.List<Policy.Contact> = {
  of: ({ contacts }) => contacts,
  name: ({ name }) => `contact ${name}`,
  rules: {
    name: 'key',
    kind: { show: ({ kind }) => kind, judge: () => neutral(FOR_PEOPLE) },
    assets: { show: ({ assets = [] }) => assets.join(' '), judge: () => neutral(FOR_PEOPLE) },
    reach: { show: ({ reach }) => reach, judge: () => neutral(FOR_PEOPLE) },
  },
  come: () => neutral(FOR_PEOPLE),
  go: () => neutral(FOR_PEOPLE),
};

const FOR_PEOPLE = 'for people; it decides nothing';

/** Every part of the rules of resuming, also those that only a quorum has. */
type Resume = {
  readonly kind: Policy.Resume['kind'];
  /** Signatures needed; 1 in a trial. */
  readonly quorum: number;
  readonly pauserCounts: boolean;
} & Policy.Staged;

const RESUME: Change.Rules<Resume> = {
  kind: Change.ranked(({ kind }) => kind, ['quorum', 'trial'], {
    looser: 'one operator alone resumes, and changes the policy at once',
    stricter: 'several resume together',
  }),
  quorum: {
    show: ({ quorum }) => `${quorum}`,
    judge: ({ before, after }) => {
      if (before.kind !== after.kind) return neutral('it comes with the quorum');
      return after.quorum > before.quorum
        ? revokes('fewer cannot resume any more, nor undo this')
        : loosens('fewer can resume');
    },
  },
  pauserCounts: {
    show: ({ pauserCounts }) => `${pauserCounts}`,
    judge: ({ before, after }) => {
      if (before.kind !== after.kind) return neutral('it comes with the quorum');
      return after.pauserCounts
        ? loosens('whoever paused may count towards the resume')
        : revokes('whoever paused does not count any more');
    },
  },
  steps: {
    show: ({ steps }) => steps.map(stepText).join('; '),
    judge: ({ before, after }) =>
      areSlower(before.steps, after.steps)
        ? tightens('no step gives more, or gives it sooner')
        : loosens('a step gives more, gives it sooner, or is gone'),
  },
  budget: {
    show: ({ budget }) => formatUsd(budget),
    judge: ({ before, after }) => {
      if (before.steps.length === 0) return neutral('it comes with the steps');
      return after.budget > before.budget
        ? loosens('a step gives more where a scope has no limit of its own')
        : tightens('a step gives less where a scope has no limit of its own');
    },
  },
};

/** What differs in the rules of resuming. */
export function resume(both: Change.Both): readonly Change.Change[] {
  const [before, after] = [whole(both.before.resume), whole(both.after.resume)];
  return Change.fields('resume', RESUME, { before, after, both });
}

function whole(given: Policy.Resume): Resume {
  return given.kind === 'quorum' ? given : { ...given, quorum: 1, pauserCounts: true };
}

/** Whether at every time after a reset the new steps let no more flow than the old ones. Steps rise. */
function areSlower(before: readonly Step[], after: readonly Step[]): boolean {
  return before.every((was, at) => {
    const is = after[at];
    return (
      is !== undefined &&
      is.shareBps <= was.shareBps &&
      is.forMs >= was.forMs &&
      isNarrower(was.chains, is.chains) &&
      isNarrower(was.assets, is.assets)
    );
  });
}

function isNarrower(
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): boolean {
  if (before === undefined) return true;
  return after?.every((each) => before.some((wider) => contains(wider, each))) ?? false;
}

function stepText({ shareBps, forMs, chains, assets }: Step): string {
  const only = [...(chains ?? []), ...(assets ?? [])];
  const of = only.length === 0 ? '' : ` of ${only.join(' ')}`;
  return `${shareBps / 100}% for ${forMs / 1_000}s${of}`;
}
