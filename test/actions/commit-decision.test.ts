import { describe, expect, test } from 'vitest';
import { ATTEMPTS_MAX, ContendedError, commitDecision } from '../../lib/actions/commit-decision.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { createMemoryStore } from '../../lib/adapters/memory/store.ts';
import { UnavailableError } from '../../lib/adapters/store-errors.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import { GLOBAL_KEY } from '../../lib/domain/scope.ts';
import type { DecisionStore } from '../../lib/ports.ts';
import { putInForce, readyWorld } from '../support/action-world.ts';
import { incoming, limit, policy, T0_MS, usd, withdrawal } from '../support/builders.ts';

/** Notes which policy decided, and writes nothing but a row. */
const noteRecipe = (seen: number[]) => ({
  keys: () => ({ rows: ['note'], items: [] }),
  decide: (context: Draft.Context, loaded: Ledger.Loaded) => {
    const draft = Draft.start(context, loaded);
    seen.push(context.policyVersion);
    const row = { rowId: 'note', state: 'noted', bodyHash: '', atMs: draft.atMs } as const;
    Draft.putRow(draft, row);
    return { result: context.decisionId, changes: Draft.changes(draft) };
  },
});

/** Runs something before each commit. */
function onCommit(
  decisions: DecisionStore,
  act: (attempt: number) => Promise<unknown>,
): DecisionStore {
  let attempt = 0;
  return {
    load: decisions.load,
    commit: async (changes) => {
      attempt += 1;
      await act(attempt);
      return decisions.commit(changes);
    },
  };
}

describe('commitDecision', () => {
  test('default', async () => {
    const { world } = await readyWorld(policy());
    const decisionId = await commitDecision(world.decision, noteRecipe([]));
    const { rows } = await world.store.decisions.load({ rows: ['note'], items: [] });
    expect(rows.get('note')?.decisionId).toBe(decisionId);
  });

  test('behavior: global is always read, whatever the recipe asks for', async () => {
    const { world } = await readyWorld(policy());
    const asked: (readonly string[])[] = [];
    const { decisions } = world.decision;
    const load: DecisionStore['load'] = (keys) => {
      asked.push(keys.items);
      return decisions.load(keys);
    };
    await commitDecision({ ...world.decision, decisions: { ...decisions, load } }, noteRecipe([]));
    expect(asked).toEqual([[GLOBAL_KEY]]);
  });

  test('behavior: a decision that changes an item which was not read is made again with it', async () => {
    const { world, committed } = await readyWorld(policy());
    const key = 'actor:customer-1';
    await recordEvents(world.decision, [incoming(withdrawal('w1'))]);
    const seen: number[] = [];
    const touch = {
      keys: () => ({ rows: [], items: [] }),
      decide: (context: Draft.Context, loaded: Ledger.Loaded) => {
        const draft = Draft.start(context, loaded);
        const item = Draft.item(draft, key);
        seen.push(item.meter.newestMs);
        draft.items.set(key, { ...item, outstanding: 1 });
        return { result: 'done', changes: Draft.changes(draft) };
      },
    };
    const before = committed.length;
    expect(await commitDecision(world.decision, touch)).toBe('done');
    expect(seen).toEqual([0, T0_MS]);
    expect(committed.length).toBe(before + 1);
    const { items } = await world.store.decisions.load({ rows: [], items: [key] });
    expect(items.get(key)).toMatchObject({ outstanding: 1, meter: { newestMs: T0_MS } });
  });

  test('behavior: nothing to write is the result as it stands, and no commit', async () => {
    const { world, committed } = await readyWorld(policy());
    const count = committed.length;
    const recipe = { keys: () => ({ rows: [], items: [] }), decide: () => ({ result: 'seen' }) };
    expect(await commitDecision(world.decision, recipe)).toBe('seen');
    expect(committed.length).toBe(count);
  });

  test('behavior: after a conflict everything is read and decided again, at a later time', async () => {
    const { world, clock, committed } = await readyWorld(policy());
    const decisions = onCommit(world.decision.decisions, async (attempt) => {
      clock.nowMs += 1_000;
      if (attempt <= 2) {
        await recordEvents(world.decision, [incoming(withdrawal(`other-${attempt}`))]);
      }
    });
    const loads: Ledger.Loaded[] = [];
    const noted: DecisionStore = {
      commit: decisions.commit,
      load: async (keys) => {
        const loaded = await decisions.load(keys);
        loads.push(loaded);
        return loaded;
      },
    };
    await commitDecision({ ...world.decision, decisions: noted }, noteRecipe([]));
    const versions = loads.map(({ items }) => items.get(GLOBAL_KEY)?.version);
    expect(new Set(versions).size).toBe(3);
    expect(committed.at(-1)?.atMs).toBe(T0_MS + 2_000);
    expect(new Set(committed.map(({ decisionId }) => decisionId)).size).toBe(committed.length);
  });

  test('H13: no decision at the time of a clock that was ahead, and was set right while it read', async () => {
    const { world, clock, committed } = await readyWorld(policy());
    const { decisions } = world.decision;
    clock.nowMs = T0_MS + 38_000;
    const load: DecisionStore['load'] = async (keys) => {
      clock.nowMs = T0_MS;
      return decisions.load(keys);
    };
    await commitDecision({ ...world.decision, decisions: { ...decisions, load } }, noteRecipe([]));
    expect(committed.at(-1)?.atMs).toBe(T0_MS);
  });

  test('H13: no decision at the time of a process that stood still while it read', async () => {
    const { world, clock, committed } = await readyWorld(policy());
    const { decisions } = world.decision;
    const waits = [6_001, 6_000];
    const load: DecisionStore['load'] = (keys) => {
      clock.nowMs += waits.shift() ?? 0;
      return decisions.load(keys);
    };
    await commitDecision({ ...world.decision, decisions: { ...decisions, load } }, noteRecipe([]));
    expect(committed.at(-1)?.atMs).toBe(T0_MS + 6_001);
    expect(waits).toEqual([]);
  });

  test('behavior: where every read takes that long it decides at the second attempt', async () => {
    const { world, clock, committed } = await readyWorld(policy());
    const { decisions } = world.decision;
    let loads = 0;
    const load: DecisionStore['load'] = (keys) => {
      loads += 1;
      clock.nowMs += 10_000;
      return decisions.load(keys);
    };
    await commitDecision({ ...world.decision, decisions: { ...decisions, load } }, noteRecipe([]));
    expect([loads, committed.at(-1)?.atMs]).toEqual([2, T0_MS + 10_000]);
  });

  test('error: a clock that goes back again and again decides nothing', async () => {
    const { world, clock, committed } = await readyWorld(policy());
    const { decisions } = world.decision;
    const load: DecisionStore['load'] = (keys) => {
      clock.nowMs -= 1;
      return decisions.load(keys);
    };
    const count = committed.length;
    const deps = { ...world.decision, decisions: { ...decisions, load } };
    await expect(commitDecision(deps, noteRecipe([]))).rejects.toThrowError(ContendedError);
    expect(committed.length).toBe(count);
  });

  test('behavior: a policy that came into force in between decides', async () => {
    const { world } = await readyWorld(policy());
    const seen: number[] = [];
    const decisions = onCommit(world.decision.decisions, async (attempt) => {
      if (attempt === 1) await putInForce(world, policy({ name: 'second' }));
    });
    await commitDecision({ ...world.decision, decisions }, noteRecipe(seen));
    expect(seen).toEqual([1, 2]);
  });

  test('behavior: a policy that another process put in force decides the first time', async () => {
    const { world } = await readyWorld(policy());
    const seen: number[] = [];
    await world.decision.policy.current();
    const other = await readyWorld(policy(), () => ({ store: world.store, ids: world.ids }));
    await putInForce(other.world, policy({ name: 'second' }));
    await commitDecision(world.decision, noteRecipe(seen));
    expect(seen).toEqual([3]);
  });

  test('error: attempts are bounded', async () => {
    const { world } = await readyWorld(policy());
    let commits = 0;
    const waits: number[] = [];
    const { load } = world.decision.decisions;
    const commit = async () => {
      commits += 1;
      return 'conflict' as const;
    };
    const deps = {
      ...world.decision,
      decisions: { load, commit },
      random: () => 0.999,
      sleep: async (ms: number) => void waits.push(ms),
    };
    await expect(commitDecision(deps, noteRecipe([]))).rejects.toThrow(ContendedError);
    expect(commits).toBe(ATTEMPTS_MAX);
    expect(waits.map(Math.round)).toEqual([10, 20, 40, 80, 160, ...Array(6).fill(250)]);
  });

  test.each([
    [0, [60, 120, 240, 480, 960, 1_920, 2_000, 2_000, 2_000, 2_000, 2_000]],
    [15, [60, 120, 240, 480, 960, 1_920, 2_000, 2_000, 2_000, 2_000, 2_000]],
    [100, [400, 800, 1_600, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000]],
  ])('behavior: waits grow from loss to loss, and with attempts of %i ms', async (tookMs, all) => {
    const { world, clock } = await readyWorld(policy());
    const waits: number[] = [];
    const { load } = world.decision.decisions;
    const commit = async () => {
      clock.nowMs += tookMs;
      return 'conflict' as const;
    };
    const deps = {
      ...world.decision,
      decisions: { load, commit },
      random: () => 1 - Number.EPSILON,
      sleep: async (ms: number) => void waits.push(Math.round(ms)),
    };
    const backoff = { firstMs: 60, maxMs: 2_000 };
    await expect(commitDecision(deps, { ...noteRecipe([]), backoff })).rejects.toThrow(
      ContendedError,
    );
    expect(waits).toEqual(all);
  });

  test('error: no attempt begins after the time of the recipe', async () => {
    const { world, clock } = await readyWorld(policy());
    const begun: number[] = [];
    const startedMs = clock.nowMs;
    const load: DecisionStore['load'] = (keys) => {
      begun.push(clock.nowMs - startedMs);
      return world.decision.decisions.load(keys);
    };
    const deps = {
      ...world.decision,
      decisions: { load, commit: async () => 'conflict' as const },
      random: () => 0.5,
      sleep: async (ms: number) => {
        clock.nowMs += ms;
      },
    };
    const within = (withinMs: number) => {
      clock.nowMs = startedMs;
      begun.length = 0;
      const backoff = { firstMs: 100, maxMs: 1_000, withinMs };
      return commitDecision(deps, { ...noteRecipe([]), backoff });
    };
    await expect(within(349)).rejects.toThrow('lost 3 attempts');
    expect(begun).toEqual([0, 50, 150]);
    await expect(within(350)).rejects.toThrow('lost 4 attempts');
    expect(begun).toEqual([0, 50, 150, 350]);
  });

  test('error: a policy that changes at every attempt ends as contended too', async () => {
    const { world } = await readyWorld(policy());
    let turn = 0;
    const decisions: DecisionStore = {
      ...world.decision.decisions,
      load: async (keys) => {
        turn += 1;
        await putInForce(world, policy({ name: `version-${turn}` }));
        return world.decision.decisions.load(keys);
      },
    };
    const stale = { ...world.decision.policy, current: world.decision.policy.current };
    const adopt: typeof stale.adopt = async (version) => ({
      ...(await world.decision.policy.adopt(version)),
      version: version - 1,
    });
    const deps = { ...world.decision, decisions, policy: { ...stale, adopt } };
    await expect(commitDecision(deps, noteRecipe([]))).rejects.toThrow(ContendedError);
  });

  test.each(['load', 'commit'] as const)(
    'H17, H18: an error of %s is thrown as it is and is no conflict',
    async (step) => {
      const { world, committed } = await readyWorld(policy());
      const count = committed.length;
      const down = new UnavailableError({ operation: step, reason: 'Throttled', attempts: 3 });
      let calls = 0;
      const decisions: DecisionStore = {
        ...world.decision.decisions,
        [step]: async () => {
          calls += 1;
          throw down;
        },
      };
      const deps = { ...world.decision, decisions };
      await expect(commitDecision(deps, noteRecipe([]))).rejects.toBe(down);
      expect({ calls, committed: committed.length }).toEqual({ calls: 1, committed: count });
    },
  );

  test('error: a policy in force that is not stored decides nothing', async () => {
    const { world } = await readyWorld(policy());
    const fresh = createMemoryStore();
    const items = new Map([[GLOBAL_KEY, { ...(await globalOf(world.store)), policyVersion: 9 }]]);
    const load: DecisionStore['load'] = async () => ({ rows: new Map(), items });
    const deps = { ...world.decision, decisions: { ...fresh.decisions, load } };
    await expect(commitDecision(deps, noteRecipe([]))).rejects.toThrow('version 9 is in force');
  });

  test('H28: what tripped stays tripped although the caller throws afterwards', async () => {
    const { world } = await readyWorld(policy({ limits: [limit()] }));
    const handler = async () => {
      const event = incoming(withdrawal('w-1', { amount: usd(1_001) }));
      await recordEvents(world.decision, [event]);
      throw new Error('the handler fell over');
    };
    await expect(handler()).rejects.toThrow('fell over');
    const { items } = await world.store.decisions.load({ rows: [], items: ['wallet:hot-1'] });
    expect(items.get('wallet:hot-1')?.breaker.state).toBe('open');
    expect((await world.store.incidents.list(10)).length).toBe(1);
  });
});

async function globalOf(store: { readonly decisions: DecisionStore }): Promise<Ledger.Item> {
  const { items } = await store.decisions.load({ rows: [], items: [GLOBAL_KEY] });
  const item = items.get(GLOBAL_KEY);
  if (!item) throw new Error('global is not stored');
  return item;
}
