/**
 * A world for actions and functions: the in-memory store, a clock that a test sets, counted ids and
 * small real implementations of the other ports. Nothing waits and nothing is random.
 */

import { commitDecision } from '../../lib/actions/commit-decision.ts';
import { fromCompiled, toCompiled } from '../../lib/adapters/compiled-policy.ts';
import { createMemoryStore } from '../../lib/adapters/memory/store.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import { typedSignatures } from '../../lib/adapters/typed-signature.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type { Message } from '../../lib/domain/page.ts';
import type { Compiled, Policy } from '../../lib/domain/policy.ts';
import * as PolicyChange from '../../lib/domain/policy-change.ts';
import type { ControlRecord, DecisionStore, Ids, Store } from '../../lib/ports.ts';
import {
  createWorld,
  type OperatorWorld,
  operatedBy,
  type Parts as WorldParts,
} from '../../lib/runtime/world.ts';
import { CHAIN, DAY_MS, OTHER_CHAIN, T0_MS } from './builders.ts';
import { testSigner } from './signer.ts';

/** The parts of a world that can put policies in force. */
export type Parts = WorldParts & Pick<OperatorWorld, 'compilePolicy'>;

/** A line of the log. */
export type Line = {
  readonly level: 'info' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** The world with everything that went out of it. */
export type TestWorld = {
  readonly world: OperatorWorld;
  readonly clock: { nowMs: number };
  readonly messages: Message[];
  readonly sent: { readonly detailType: string; readonly detail: unknown }[];
  readonly rejected: { readonly body: string; readonly reason: string }[];
  readonly askedAgain: string[];
  readonly lines: Line[];
  /** Changes of the control rows, in order. */
  readonly records: ControlRecord[];
  /** Changes that were committed, in order. */
  readonly committed: Ledger.Changes[];
  readonly dead: { count: number };
};

/** A world in which no policy was applied. `parts` replaces parts of it. */
export function testWorld(replace: (parts: Parts) => Partial<Parts> = () => ({})): TestWorld {
  const clock = { nowMs: T0_MS };
  const committed: Ledger.Changes[] = [];
  const records: ControlRecord[] = [];
  const [messages, sent, rejected]: [Message[], TestWorld['sent'], TestWorld['rejected']] = [
    [],
    [],
    [],
  ];
  const askedAgain: string[] = [];
  const lines: Line[] = [];
  const dead = { count: 0 };
  const store = createMemoryStore({ onControlChange: (record) => records.push(record) });
  const parts: Parts = {
    store: { ...store, decisions: noting(store.decisions, committed) },
    clock: { nowMs: () => clock.nowMs },
    ids: countedIds(),
    digest: nodeDigest,
    compilePolicy: compileSource,
    notifier: { send: async (message) => void messages.push(message) },
    events: { send: async (event) => void sent.push(event) },
    rejects: { send: async (one) => void rejected.push(one) },
    deadLetters: { count: async () => dead.count },
    redelivery: { soon: async (receiptHandle) => void askedAgain.push(receiptHandle) },
    signer: testSigner(),
    log: {
      info: (message, fields) => lines.push({ level: 'info', message, fields }),
      error: (message, fields) => lines.push({ level: 'error', message, fields }),
    },
    sleep: async () => undefined,
    random: () => 0.5,
  };
  const all = { ...parts, ...replace(parts) };
  const { compilePolicy } = all;
  const world = operatedBy(createWorld(all), { compilePolicy, signatures: typedSignatures });
  return { world, clock, messages, sent, rejected, askedAgain, lines, records, committed, dead };
}

/** Puts a policy in force, also one that the action would refuse today and an older version took. */
export async function putInForce(world: OperatorWorld, policy: Policy): Promise<void> {
  const source = toCompiled(policy);
  const hash = world.digest.hash(source);
  const next = { hash, source, compiled: { policy, compiled: source }, actor: 'test' };
  await commitDecision(world.decision, {
    keys: () => ({ rows: [], items: [] }),
    decide: (context, loaded) => {
      const draft = Draft.start(context, loaded);
      const stored = PolicyChange.putInForce(draft, next);
      return { result: undefined, changes: { ...Draft.changes(draft), policy: stored } };
    },
  });
}

/** A world with a policy in force and leases for a day. */
export async function readyWorld(
  policy: Policy,
  replace?: (parts: Parts) => Partial<Parts>,
): Promise<TestWorld> {
  const made = testWorld(replace);
  await putInForce(made.world, policy);
  await made.world.decision.policy.refresh();
  const untilMs = made.clock.nowMs + DAY_MS;
  const leases = { [CHAIN]: untilMs, [OTHER_CHAIN]: untilMs };
  await made.world.store.health.renew(leases, made.clock.nowMs);
  return made;
}

/** Everything that committed decisions have left in a store. */
export async function ledgerOf(
  store: Pick<Store, 'decisions'>,
  committed: readonly Ledger.Changes[],
): Promise<Ledger.Loaded> {
  return store.decisions.load({
    rows: committed.flatMap((changes) => changes.rows.map(({ row }) => row.rowId)),
    items: committed.flatMap((changes) => changes.items.map(({ key }) => key)),
  });
}

/** A store that notes what it committed. */
export function noting(decisions: DecisionStore, committed: Ledger.Changes[]): DecisionStore {
  return {
    load: decisions.load,
    commit: async (changes) => {
      const result = await decisions.commit(changes);
      if (result === 'committed') committed.push(changes);
      return result;
    },
  };
}

/** Ids that are counted, of the form that the product's have. */
export function countedIds(): Ids {
  let count = 0;
  const next = () => {
    count += 1;
    return count.toString(36).toUpperCase().padStart(4, '0');
  };
  return {
    decisionId: () => `decision-${next()}`,
    stackId: () => 'ab'.repeat(32),
    incidentId: (nowMs) => `${nowMs.toString(36).toUpperCase().padStart(9, '0')}${next()}`,
  };
}

/** Takes a compiled policy for a source: tests write policies with builders, not as files. */
export function compileSource(source: string): Compiled {
  return { policy: fromCompiled(source), compiled: source };
}

/** The store, with a first policy in it that nobody can read. */
export function unreadable(store: Store): Store {
  const load: Store['policies']['load'] = async (version) => {
    const stored = await store.policies.load(version);
    return version === 1 && stored ? { ...stored, compiled: '{"format":2}' } : stored;
  };
  return { ...store, policies: { load } };
}
