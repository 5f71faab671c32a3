/** The questions that a flag client polls, with their last answers and who wants to hear of changes. */

import type { Question } from '../actions/read-flag.ts';
import { type Flag, unreachable } from '../domain/flag.ts';
import type { Clock } from '../ports.ts';
import { inForce, keyOf } from './flag-answer.ts';

/** What changed for a question that is watched. */
export type Change = { readonly question: Question; readonly flag: Flag };

/**
 * How the poll does. `fresh`: every last read gave an answer. `late`: some failed, the answers before
 * them still hold. `lost`: some question has no answer that holds, and is not enabled.
 */
export type Health = 'fresh' | 'late' | 'lost';

/** What a read gave. Ages count from its start: that is the latest moment it certainly speaks of. */
export type Taken = { readonly flag: Flag; readonly startedAtMs: number };

/** Answers by question. Nothing here does any IO. */
export type Watched = {
  /** Watched until as many calls took it back as asked for it. */
  readonly add: (question: Question) => () => void;
  readonly has: (question: Question) => boolean;
  readonly size: () => number;
  readonly questions: () => readonly Question[];
  /** Keeps what a read gave, unless a later read was kept already or nobody watches. */
  readonly take: (question: Question, taken: Taken) => void;
  /** Fail direction: closed, not enabled without an answer that is young and whose lease runs. */
  readonly cached: (question: Question) => Flag;
  /** Tells listeners what is otherwise than last told. */
  readonly announce: () => void;
  readonly onChange: (listener: (change: Change) => void) => () => void;
  readonly onHealth: (listener: (health: Health) => void) => () => void;
};

type Entry = {
  readonly question: Question;
  watchers: number;
  /** The last read that could tell. */
  last: Taken | undefined;
  /** Why the read after it could not. */
  failure: Flag | undefined;
  told: Flag | undefined;
};

type Judge = (entry: Entry) => Flag;

const NOT_WATCHED = unreachable('nobody watches this question: watch it, or check');
const NOT_READ = unreachable('there was no answer yet');
const TOO_OLD = unreachable('the last answer is too old');

/** Starts with nothing watched. `steady` measures ages and `wall` leases. */
export function createWatched(options: {
  readonly wall: Clock;
  readonly steady: Clock;
  readonly maxAgeMs: number;
}): Watched {
  const { wall, steady, maxAgeMs } = options;
  const entries = new Map<string, Entry>();
  const changes = createListeners<Change>();
  const healths = createListeners<Health>();
  let health: Health = 'fresh';
  const judge: Judge = ({ last, failure }) => {
    if (!last) return failure ?? NOT_READ;
    const ageMs = steady.nowMs() - last.startedAtMs;
    if (!(ageMs >= 0 && ageMs <= maxAgeMs)) return failure ?? TOO_OLD;
    return inForce(last.flag, wall.nowMs());
  };
  const announce = () => {
    for (const change of changed(entries.values(), judge)) changes.tell(change);
    const now = healthOf([...entries.values()], judge);
    if (now === health) return;
    health = now;
    healths.tell(now);
  };
  return {
    add: (question) => addTo(entries, question),
    has: (question) => entries.has(keyOf(question)),
    size: () => entries.size,
    questions: () => [...entries.values()].map((entry) => entry.question),
    take: (question, taken) => keep(find(entries, question), taken),
    cached: (question) => {
      const entry = find(entries, question);
      return entry ? judge(entry) : NOT_WATCHED;
    },
    announce,
    onChange: changes.add,
    onHealth: healths.add,
  };
}

/** What is no question is watched by nobody. */
function find(entries: ReadonlyMap<string, Entry>, question: Question): Entry | undefined {
  try {
    return entries.get(keyOf(question));
  } catch {
    return undefined;
  }
}

function addTo(entries: Map<string, Entry>, question: Question): () => void {
  const key = keyOf(question);
  const fresh: Entry = {
    // A copy: what the caller does with its object later is another question.
    question: { ...question },
    watchers: 0,
    last: undefined,
    failure: undefined,
    told: undefined,
  };
  const entry = entries.get(key) ?? fresh;
  entries.set(key, entry);
  entry.watchers += 1;
  let isWatched = true;
  return () => {
    if (!isWatched) return;
    isWatched = false;
    entry.watchers -= 1;
    if (entry.watchers === 0) entries.delete(key);
  };
}

function keep(entry: Entry | undefined, taken: Taken): void {
  if (!entry || (entry.last && taken.startedAtMs < entry.last.startedAtMs)) return;
  if (taken.flag.reason === 'unreachable') {
    entry.failure = taken.flag;
    return;
  }
  entry.last = taken;
  entry.failure = undefined;
}

function changed(entries: Iterable<Entry>, judge: Judge): readonly Change[] {
  const list: Change[] = [];
  for (const entry of entries) {
    const flag = judge(entry);
    if (flag === NOT_READ || isSame(entry.told, flag)) continue;
    entry.told = flag;
    list.push({ question: entry.question, flag });
  }
  return list;
}

function isSame(told: Flag | undefined, flag: Flag): boolean {
  const fields = ['enabled', 'reason', 'scope', 'incidentId', 'wouldBe'] as const;
  return fields.every((field) => told !== undefined && told[field] === flag[field]);
}

/** Before the first answers nothing is lost: there was nothing to lose. */
function healthOf(entries: readonly Entry[], judge: Judge): Health {
  const flags = entries.map(judge);
  if (flags.some((flag) => flag.reason === 'unreachable' && flag !== NOT_READ)) return 'lost';
  return entries.some((entry) => entry.failure) ? 'late' : 'fresh';
}

/** A listener that throws keeps neither the others nor the poll from going on. */
function createListeners<T>() {
  const listeners = new Set<(event: T) => void>();
  return {
    tell: (event: T) => {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch {
          // Its own fault, and its own log to write.
        }
      }
    },
    add: (listener: (event: T) => void) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
