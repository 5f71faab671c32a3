/**
 * What callers did while a breaker opened and closed, and whether that may be (P6): after a trip has
 * committed and before the resume has, nothing is allowed. Commits are ordered by the version of
 * `global`, which each of them raises by one; times only say which operation had ended before
 * another began.
 */

import * as Scope from '../../lib/domain/scope.ts';
import type { DecisionStore } from '../../lib/ports.ts';

/** One operation. Times of one clock that does not go back, ms. */
export type Operation = {
  readonly kind: 'allow' | 'refuse' | 'trip' | 'resume';
  readonly what: string;
  readonly startedMs: number;
  readonly endedMs: number;
  /** Version of `global` that it was decided on. */
  readonly readVersion: number;
  /** Version that its commit gave to `global`; absent where nothing was written. */
  readonly wroteVersion?: number | undefined;
};

/** While the breaker was open, from the trip's commit to the resume's. */
type Pause = { readonly trip: Operation; readonly resume: Operation | undefined };

/**
 * What is wrong with a history; empty if nothing is. A commit holds what it was decided on, so that
 * an `allow` that was decided on the version of a trip, or a later one, lies after it.
 */
export function violations(history: readonly Operation[]): readonly string[] {
  const commits = history.filter(({ wroteVersion }) => wroteVersion !== undefined);
  const versions = commits.map(({ wroteVersion }) => wroteVersion);
  const wrong: string[] = [];
  if (new Set(versions).size < versions.length) wrong.push('two commits gave one version');
  for (const { what, readVersion, wroteVersion } of commits) {
    if (wroteVersion === readVersion + 1) continue;
    wrong.push(`${what} was decided on ${readVersion} and committed as ${wroteVersion}`);
  }
  for (const pause of pausesOf(commits)) {
    for (const operation of history) {
      if (operation.kind !== 'allow') continue;
      if (isWithin(operation, pause)) wrong.push(`${operation.what} lies within the pause`);
      else if (isAskedWithin(operation, pause))
        wrong.push(`${operation.what} was asked and allowed within the pause`);
    }
  }
  return wrong;
}

function pausesOf(commits: readonly Operation[]): readonly Pause[] {
  const order = (one: Operation, other: Operation) => one.readVersion - other.readVersion;
  const resumes = commits.filter(({ kind }) => kind === 'resume').sort(order);
  return commits
    .filter(({ kind }) => kind === 'trip')
    .map((trip) => ({ trip, resume: resumes.find((one) => order(one, trip) > 0) }));
}

function isWithin({ readVersion }: Operation, { trip, resume }: Pause): boolean {
  const { wroteVersion: from = 0 } = trip;
  const { wroteVersion: to = Number.POSITIVE_INFINITY } = resume ?? {};
  return readVersion >= from && readVersion < to;
}

/** Whatever its versions say: whoever asks after a trip has answered is refused until a resume begins. */
function isAskedWithin({ startedMs, endedMs }: Operation, { trip, resume }: Pause): boolean {
  const { startedMs: untilMs = Number.POSITIVE_INFINITY } = resume ?? {};
  return startedMs > trip.endedMs && endedMs < untilMs;
}

/** A store that notes which version of `global` its last decision was made on, and which it wrote. */
export function witnessed(decisions: DecisionStore) {
  const seen: { readVersion: number; wroteVersion: number | undefined } = {
    readVersion: 0,
    wroteVersion: undefined,
  };
  const store: DecisionStore = {
    load: async (keys) => {
      const loaded = await decisions.load(keys);
      seen.readVersion = loaded.items.get(Scope.GLOBAL_KEY)?.version ?? 0;
      seen.wroteVersion = undefined;
      return loaded;
    },
    commit: async (changes) => {
      const result = await decisions.commit(changes);
      const global = changes.items.find(({ key }) => key === Scope.GLOBAL_KEY);
      if (result === 'committed') seen.wroteVersion = global?.item.version;
      return result;
    },
  };
  return { store, seen: () => ({ ...seen }) };
}
