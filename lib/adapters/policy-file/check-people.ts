/** Whether the operators that a policy names can resume, and only together; and whether its steps rise. */

import { overlaps } from '../../domain/pattern-overlap.ts';
import { type Finding, type Path, quoted } from './problem.ts';
import type { Operator, Resume } from './schema.ts';
import type { Entry, Sections } from './shape.ts';

type Staged = Exclude<Resume, 'trial'>;
type Step = NonNullable<Staged['steps']>[number];

/** The account whose key nobody has: what recovers to it was signed by nobody. */
const NOBODY = `0x${'0'.repeat(40)}`;

/** Everything that is wrong with operators and the rules of resuming whose fields have the right shape. */
export function checkPeople(sections: Sections): readonly Finding[] {
  const { resume, operators } = sections;
  return [
    ...operators.entries.flatMap((entry) => checkOperator(entry)),
    ...operators.entries.flatMap((entry, position) =>
      checkCaller(entry, operators.entries.slice(0, position)),
    ),
    ...(resume === undefined || resume === 'trial' ? [] : checkResume(sections, resume)),
  ];
}

function checkOperator({ path, value }: Entry<Operator>): readonly Finding[] {
  const { roles, address } = value;
  if (address === NOBODY) {
    return [{ path: [...path, 'address'], message: 'is the account of nobody; use a real one' }];
  }
  if (new Set(roles).size < roles.length) {
    return [{ path: [...path, 'roles'], message: 'names a role twice; name each once' }];
  }
  if (!roles.includes('panic') || !roles.includes('resume')) return [];
  const message =
    'are panic and resume: a panic key may only tighten, and whoever steals it must not resume; use one of the two';
  return [{ path: [...path, 'roles'], message }];
}

/** One caller is one person: whoever could be two could pause as one and resume as the other. */
function checkCaller(
  entry: Entry<Operator>,
  earlier: readonly Entry<Operator>[],
): readonly Finding[] {
  const { iam } = entry.value;
  if (iam === undefined) return [];
  const other = earlier.find(({ value }) => value.iam !== undefined && overlaps(value.iam, iam));
  if (!other) return [];
  const message = `fits callers that are ${quoted(other.value.name)} already; use a pattern of this operator's own`;
  return [{ path: [...entry.path, 'iam'], message }];
}

function checkResume(sections: Sections, resume: Staged): readonly Finding[] {
  const { trial, quorum, steps = [], budgetUsd } = resume;
  const found = (field: string, message: string) => [{ path: ['resume', field], message }];
  if ((trial === undefined) === (quorum === undefined)) {
    return found(
      'quorum',
      'says who may resume; use quorum: 2 or more, or trial: true, and one of them',
    );
  }
  if (trial !== undefined && resume.pauserCounts === 'true') {
    return found('pauserCounts', 'is about a quorum, and this is a trial; remove it');
  }
  return [
    ...(quorum === undefined ? [] : checkQuorum(sections, quorum)),
    ...(steps.length > 0 && !budgetUsd
      ? found(
          'budgetUsd',
          'is missing; use USD above 0: what 100% of a step means where a scope has no limit in USD',
        )
      : []),
    ...(steps.length === 0 && budgetUsd !== undefined
      ? found('budgetUsd', 'is about steps, and there are none; add steps, or remove it')
      : []),
    ...steps.flatMap((step, position) =>
      checkStep(step, { before: steps[position - 1], position }),
    ),
  ];
}

/** Fewer than the quorum could never resume; so few are refused before the breaker is open. */
function checkQuorum({ operators }: Sections, quorum: number): readonly Finding[] {
  // Those that are malformed are told of by themselves.
  if (operators.entries.length > 0 && !operators.complete) return [];
  const resumers = operators.entries.filter(({ value }) => value.roles.includes('resume')).length;
  if (resumers >= quorum) return [];
  const message = `asks for ${quorum} operators with role resume, and operators names ${resumers}; add them there`;
  return [{ path: ['resume', 'quorum'], message }];
}

/** Each step gives more than the one before: it takes nothing back that flows already. */
function checkStep(
  step: Step,
  at: { readonly before: Step | undefined; readonly position: number },
): readonly Finding[] {
  const { before, position } = at;
  if (!before) return [];
  const path: Path = ['resume', 'steps', position];
  if (step.share < before.share) {
    return [{ path: [...path, 'share'], message: 'is less than in the step before; shares rise' }];
  }
  return (['chains', 'assets'] as const).flatMap((field) => {
    const [now, then] = [step[field], before[field]];
    if (now === undefined || then?.every((pattern) => now.some((each) => each === pattern)))
      return [];
    const message =
      'must name everything that the step before names, or be left out: what flows is not stopped by the next step';
    return [{ path: [...path, field], message }];
  });
}
