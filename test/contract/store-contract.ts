/** What every store promises. Each store's test file calls this once. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import * as Audit from '../../lib/domain/audit.ts';
import * as Balance from '../../lib/domain/balance.ts';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Decision from '../../lib/domain/decision.ts';
import * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Money from '../../lib/domain/money.ts';
import type * as Proposal from '../../lib/domain/proposal.ts';
import * as Queue from '../../lib/domain/queue.ts';
import * as Watch from '../../lib/domain/watch.ts';
import { type ControlRecord, LINKS_MAX, type Store } from '../../lib/ports.ts';
import { entry } from '../support/audit.ts';
import * as Build from '../support/builders.ts';

/** An empty store under test. */
export type Opened = {
  readonly store: Store;
  /** Everything that the stream of control changes has told so far, without what is ignored. */
  readonly records: () => Promise<readonly ControlRecord[]>;
};

/** How a store is made for these tests. */
export type Harness = {
  readonly start: () => Promise<void>;
  /** A new, empty store. */
  readonly open: () => Promise<Opened>;
  readonly stop: () => Promise<void>;
};

/** Ids that a careless key would confuse (H25). */
const TRICKY_IDS: readonly string[] = [
  '1',
  '11',
  '1#',
  '#1',
  '1|1',
  'row#1',
  'item#1',
  'leases',
  'ü',
  'u\u0308',
  '\u{1f4b8}',
  '\ud800',
  '\ud801',
  '__proto__',
  'constructor',
  '~1',
  '~',
  'A',
  'a',
  ' ',
  'x'.repeat(1_024),
  'x'.repeat(1_025),
  'x'.repeat(3_000),
  `${'x'.repeat(3_000)}y`,
  '金'.repeat(900),
];

let decisions = 0;

function changes(parts: Partial<Ledger.Changes> = {}): Ledger.Changes {
  decisions += 1;
  return {
    decisionId: `contract-${decisions}`,
    atMs: Build.T0_MS,
    rows: [],
    items: [],
    incidents: [],
    causes: [],
    alerts: [],
    ...parts,
  };
}

function row(rowId: string, parts: Partial<Ledger.Row> = {}): Ledger.Row {
  return {
    rowId,
    version: 1,
    state: 'noted',
    decisionId: `contract-${decisions + 1}`,
    bodyHash: Build.hash(rowId),
    atMs: Build.T0_MS,
    policyVersion: 1,
    note: `note of ${rowId}`,
    ...parts,
  };
}

function cause(parts: Partial<Breaker.Cause> = {}): Breaker.Cause {
  return {
    kind: 'unmatched',
    atMs: Build.T0_MS,
    rowId: 'outflow:1',
    text: 'nobody approved it',
    notional: 7n,
    ...parts,
  };
}

function incident(incidentId: string, parts: Partial<Breaker.Incident> = {}): Breaker.Incident {
  return {
    incidentId,
    scope: 'key-domain:vault-a',
    epoch: 1,
    openedAtMs: Build.T0_MS,
    first: cause(),
    policyVersion: 1,
    state: 'open',
    ...parts,
  };
}

function alert(alertId: string, text = 'first'): Ledger.Alert {
  return { alertId, kind: 'warn', atMs: Build.T0_MS, scope: 'global', rowId: 'w', text };
}

const place = { limitId: 'wallet-hour', scope: 'wallet:hot-1', need: 3n };

/** A held withdrawal; with `null` for its place it waits for a person. */
function heldOne(rowId: string, heldAtMs: number, at: Queue.Place | null = place): Queue.Held {
  return { rowId, heldAtMs, ...(at ? { place: at } : {}) };
}

const closed = { atMs: Build.T0_MS + 1, actor: 'ann', reason: 'all is well' };

function putRow(value: Ledger.Row, expected: number | 'absent' = 'absent'): Ledger.RowWrite {
  return { row: value, expected };
}

function putItem(
  key: string,
  value: Ledger.Item,
  expected: number | 'absent' = 'absent',
): Ledger.ItemWrite {
  return { key, item: value, expected };
}

/** What makes a commit lose, given what the test has stored. */
const LOSING: readonly (readonly [string, Partial<Ledger.Changes>])[] = [
  ['a row that is there already', { rows: [putRow(row('r'))] }],
  ['a row of another version', { rows: [putRow(row('r', { version: 3 }), 2)] }],
  ['a row that is gone', { rows: [putRow(row('gone'), 1)] }],
  ['an item that is there already', { items: [putItem('global', Build.item())] }],
  ['an item of another version', { items: [putItem('global', Build.item(), 6)] }],
  ['an item that is gone', { items: [putItem('wallet:gone', Build.item(), 7)] }],
  ['an incident that is there already', { incidents: [write('INC-A', 'absent')] }],
  ['an incident that is gone', { incidents: [write('INC-GONE', 'open')] }],
  ['an incident that is closed', { incidents: [write('INC-CLOSED', 'open')] }],
  ['a policy version that is taken', { policy: policy(1, 'other') }],
];

/** Runs the contract over one store. */
export function storeContract(name: string, harness: Harness): void {
  describe(name, () => {
    let opened: Opened;
    let store: Store;
    beforeAll(harness.start);
    afterAll(harness.stop);
    beforeEach(async () => {
      opened = await harness.open();
      store = opened.store;
    });

    const commit = (parts: Partial<Ledger.Changes>) => store.decisions.commit(changes(parts));
    const loadItem = async (key: string) =>
      (await store.decisions.load({ rows: [], items: [key] })).items.get(key);
    const loadRow = async (rowId: string) =>
      (await store.decisions.load({ rows: [rowId], items: [] })).rows.get(rowId);

    describe('decisions.load', () => {
      test('default: absent keys are absent, nothing asked gives nothing', async () => {
        const none = { rows: new Map(), items: new Map() };
        expect(await store.decisions.load({ rows: [], items: [] })).toEqual(none);
        expect(await store.decisions.load({ rows: ['a'], items: ['global'] })).toEqual(none);
      });

      test('behavior: what decisions wrote comes back whole', async () => {
        const policy = Build.policy({
          limits: [Build.limit({ allowed: Build.usd(10), warnBps: 5_000 })],
        });
        const fee = { asset: Build.ETH, amount: 3n * 10n ** 14n };
        const events = [
          Build.incoming(Build.withdrawal('w1', { amount: Build.usd(6), memo: 'a|b', fee })),
          Build.incoming(Build.withdrawal('w2', { amount: Build.usd(6), asset: Build.UNLISTED })),
          Build.incoming(Build.withdrawal('w3', { asset: Build.WRAPPED_ETH, amount: 10n ** 8n })),
          Build.incoming(
            Build.outflow({ transaction: '0xa', withdrawalId: 'w1' }, { memo: 'a|b' }),
          ),
          Build.incoming(Build.outflow({ transaction: '0xb' }, { account: Build.STRANGER })),
          Build.incoming(Build.outflow({ transaction: '0xc', withdrawalId: 'w9' })),
        ];
        const keys = Decision.keys(policy, events);
        const context = Build.context({ policy });
        const decision = Decision.decide(context, Build.loaded(), events);
        expect(await store.decisions.commit(decision.changes)).toBe('committed');
        const loaded = await store.decisions.load(keys);
        const { rows, items } = decision.changes;
        expect(loaded.rows).toEqual(new Map(rows.map((write) => [write.row.rowId, write.row])));
        expect(loaded.items).toEqual(new Map(items.map((write) => [write.key, write.item])));
      });

      test('args: more than 100 keys, some twice, some absent', async () => {
        const ids = Array.from({ length: 150 }, (_, position) => `row-${position}`);
        for (let at = 0; at < ids.length; at += 75) {
          const rows = ids.slice(at, at + 75).map((id) => putRow(row(id)));
          expect(await commit({ rows })).toBe('committed');
        }
        const items = ids.slice(0, 20).map((id) => putItem(id, Build.item()));
        expect(await commit({ items })).toBe('committed');
        const loaded = await store.decisions.load({
          rows: [...ids, 'absent', ...ids],
          items: [...ids.slice(0, 20), 'absent'],
        });
        expect([...loaded.rows.keys()].sort()).toEqual([...ids].sort());
        expect([...loaded.rows].every(([id, stored]) => stored.rowId === id)).toBe(true);
        expect(loaded.items.size).toBe(20);
      });

      test('args: amounts above 2^64 and at 2^256 - 1 (H11)', async () => {
        const large = 2n ** 64n + 1n;
        const added = { notional: large, amount: large, count: 1, assets: [0, 2 ** 32 - 1] };
        const once = Meter.charge(Meter.EMPTY, added, Build.T0_MS);
        const full = { ...added, notional: Money.MAX, amount: Money.MAX, count: Meter.COUNT_MAX };
        const meter = Meter.charge(once, full, Build.T0_MS + Build.HOUR_MS);
        const transfer = Build.transfer({ amount: Money.MAX });
        const leg = { asset: Build.USDC, amount: Money.MAX, notional: large, pricePicoUsd: 1n };
        const money = {
          transfer,
          subject: Build.subject(),
          charged: [leg],
          chargedAtMs: Build.T0_MS - 5,
        };
        const stored = row('big', { state: 'reported', money, link: 'other' });
        const item = Build.item({ meter });
        await commit({ rows: [putRow(stored)], items: [putItem('wallet:w', item)] });
        expect(await loadRow('big')).toEqual(stored);
        expect(await loadItem('wallet:w')).toEqual(item);
      });

      test('behavior: an item keeps breaker and policy version', async () => {
        const open: Breaker.Breaker = {
          state: 'isolated',
          epoch: 3,
          incidentId: 'INC',
          openedAtMs: 5,
          causes: 2,
        };
        const items = [
          putItem('global', Build.item({ breaker: open, policyVersion: 12 })),
          putItem('wallet:w', Build.item({ breaker: { state: 'closed', epoch: 4 } })),
        ];
        await commit({ items });
        expect(await loadItem('global')).toEqual(items[0]?.item);
        expect(await loadItem('wallet:w')).toEqual(items[1]?.item);
      });

      test('behavior: ids that look alike never meet (H25)', async () => {
        const rows = TRICKY_IDS.map((id) => putRow(row(id)));
        const items = TRICKY_IDS.map((id, position) =>
          putItem(id, Build.item({ version: 100 + position })),
        );
        expect(await commit({ rows, items })).toBe('committed');
        const loaded = await store.decisions.load({ rows: TRICKY_IDS, items: TRICKY_IDS });
        expect(loaded.rows.size).toBe(TRICKY_IDS.length);
        for (const [position, id] of TRICKY_IDS.entries()) {
          expect(loaded.rows.get(id)?.note).toBe(`note of ${id}`);
          expect(loaded.items.get(id)?.version).toBe(100 + position);
        }
        expect(await store.health.leases()).toEqual({});
      });
    });

    describe('decisions.commit', () => {
      test('default: puts what is absent, replaces what has the expected version', async () => {
        expect(
          await commit({ rows: [putRow(row('r'))], items: [putItem('global', Build.item())] }),
        ).toBe('committed');
        const next = row('r', { version: 2, note: 'next' });
        expect(
          await commit({
            rows: [putRow(next, 1)],
            items: [putItem('global', Build.item({ version: 8 }), 7)],
          }),
        ).toBe('committed');
        expect(await loadRow('r')).toEqual(next);
        expect((await loadItem('global'))?.version).toBe(8);
      });

      test.each(LOSING)(
        'behavior: conflict on %s, and nothing at all is written',
        async (_, losing) => {
          await commit({
            rows: [putRow(row('r'))],
            items: [putItem('global', Build.item())],
            incidents: [write('INC-A', 'absent'), write('INC-CLOSED', 'absent')],
            policy: policy(1, 'first'),
          });
          const done = incident('INC-CLOSED', { state: 'closed', closed });
          await commit({ incidents: [{ incident: done, expected: 'open' }] });
          const before = await opened.records();
          const parts: Partial<Ledger.Changes> = {
            rows: [...(losing.rows ?? []), putRow(row('other'))],
            items: [...(losing.items ?? []), putItem('wallet:other', Build.item())],
            incidents: [...(losing.incidents ?? []), write('INC-OTHER', 'absent')],
            causes: [{ incidentId: 'INC-A', number: 2, cause: cause() }],
            alerts: [alert('other')],
            heartbeat: { sentAtMs: 1, receivedAtMs: 2, oldestWaitingMs: 3 },
            policy: losing.policy ?? policy(2, 'second'),
          };
          expect(await commit(parts)).toBe('conflict');
          expect(await loadRow('r')).toMatchObject({ version: 1, note: 'note of r' });
          expect(await loadItem('global')).toEqual(Build.item());
          expect(await loadRow('other')).toBeUndefined();
          expect(await loadItem('wallet:other')).toBeUndefined();
          expect(await store.incidents.get('INC-OTHER')).toBeUndefined();
          expect(await store.incidents.causes('INC-A')).toEqual([]);
          expect(await store.policies.load(2)).toBeUndefined();
          expect((await store.policies.load(1))?.source).toBe('first');
          expect(await store.health.heartbeat()).toBeUndefined();
          expect(await opened.records()).toEqual(before);
        },
      );

      test('behavior: the same decision asked again is committed once (H17)', async () => {
        const again = changes({
          rows: [putRow(row('r'))],
          items: [putItem('global', Build.item())],
          incidents: [write('INC-A', 'absent')],
          alerts: [alert('a')],
        });
        expect(await store.decisions.commit(again)).toBe('committed');
        expect(await store.decisions.commit(again)).toBe('committed');
        expect((await opened.records()).map(({ type }) => type).sort()).toEqual([
          'alert-raised',
          'incident-opened',
        ]);
      });

      test('behavior: A, B, A leaves B (H14)', async () => {
        const a = changes({ rows: [putRow(row('r', { note: 'A' }))] });
        expect(await store.decisions.commit(a)).toBe('committed');
        const b = changes({ rows: [putRow(row('r', { note: 'B', version: 2 }), 1)] });
        expect(await store.decisions.commit(b)).toBe('committed');
        expect(await store.decisions.commit(a)).toBe('committed');
        expect(await loadRow('r')).toMatchObject({ note: 'B', version: 2 });
        expect(await commit({ rows: [putRow(row('r', { note: 'A' }))] })).toBe('conflict');
        expect(await loadRow('r')).toMatchObject({ note: 'B', version: 2 });
      });

      test('behavior: 16 writers on one item lose nothing (H16)', async () => {
        const charge = Build.charge({ notional: 10n ** 20n, count: 1 });
        const writer = async (id: number): Promise<number> => {
          for (let attempt = 0; attempt < 64; attempt += 1) {
            const current = await loadItem('global');
            const { version, meter, breaker } = current ?? Ledger.newItem(Build.T0_MS);
            const next = {
              version: version + 1,
              meter: Meter.charge(meter, charge, Build.T0_MS),
              breaker,
            };
            const result = await commit({
              rows: [putRow(row(`w-${id}`))],
              items: [putItem('global', next, current ? version : 'absent')],
            });
            if (result === 'committed') return 1;
          }
          return 0;
        };
        const done = await Promise.all(Array.from({ length: 16 }, (_, id) => writer(id)));
        expect(done.reduce((sum, one) => sum + one, 0)).toBe(16);
        const meter = (await loadItem('global'))?.meter ?? Meter.EMPTY;
        const window = { windowMs: Build.HOUR_MS, widenMs: 0, nowMs: Build.T0_MS };
        expect(Meter.outflow(meter, { metric: 'notional', ...window })).toBe(16n * 10n ** 20n);
        expect(Meter.outflow(meter, { metric: 'count', ...window })).toBe(16n);
      });

      test('args: 100 changes pass', async () => {
        const rows = Array.from({ length: 100 }, (_, position) => putRow(row(`r-${position}`)));
        expect(await commit({ rows })).toBe('committed');
      });

      test('error: 101 changes are the caller’s mistake', async () => {
        const rows = Array.from({ length: 101 }, (_, position) => putRow(row(`r-${position}`)));
        await expect(commit({ rows })).rejects.toMatchObject({
          name: 'Store.TooManyChangesError',
          size: 101,
        });
        expect(await loadRow('r-0')).toBeUndefined();
      });

      test('behavior: control changes are told once, as what they are', async () => {
        const limit = { limitId: 'wallet-hour', used: Money.MAX, allowed: 2n ** 70n };
        const further = cause({ kind: 'limit', limit, text: 'second' });
        const byHand = cause({ kind: 'operator', actor: 'ann' });
        await commit({ incidents: [write('INC-A', 'absent')] });
        await commit({ causes: [{ incidentId: 'INC-A', number: 2, cause: further }] });
        await commit({ alerts: [alert('a'), alert('b')] });
        await commit({ alerts: [alert('a', 'later')] });
        await commit({ causes: [{ incidentId: 'INC-A', number: 3, cause: byHand }] });
        await commit({ policy: policy(1, 'text') });
        const done = incident('INC-A', { state: 'closed', closed });
        await commit({ incidents: [{ incident: done, expected: 'open' }] });
        await store.projections.putFlag({ atMs: 1, open: [] });
        await store.projections.markPaged('p', 1);
        expect(await opened.records()).toEqual([
          { type: 'incident-opened', incident: incident('INC-A') },
          { type: 'cause-added', incidentId: 'INC-A', number: 2, cause: further },
          { type: 'alert-raised', alert: alert('a') },
          { type: 'alert-raised', alert: alert('b') },
          { type: 'cause-added', incidentId: 'INC-A', number: 3, cause: byHand },
          { type: 'policy-applied', policy: policy(1, 'text') },
          { type: 'incident-closed', incident: done },
        ]);
        expect(await store.incidents.causes('INC-A')).toEqual([further, byHand]);
      });
    });

    describe('held.list', () => {
      test('default: none', async () => {
        expect(await store.held.list(10)).toEqual([]);
      });

      test('behavior: H79: queue after queue, each by age, at most the limit', async () => {
        const all = [
          ...[5, 3, 9, 3_000, 40].map((ms, n) => heldOne(`b-${n}`, ms)),
          ...[4, 1].map((ms, n) => heldOne(`d-${n}`, ms, { ...place, scope: 'global' })),
          ...[2, 1].map((ms, n) => heldOne(`p-${n}`, ms, null)),
        ];
        expect(await commit({ held: all.map((held) => ({ held, change: 'put' })) })).toBe(
          'committed',
        );
        const listed = await store.held.list(1_000);
        expect(listed).toHaveLength(all.length);
        const order = (queue: string) =>
          listed.filter((held) => Queue.keyOf(held) === queue).map(({ rowId }) => rowId);
        expect(order(Queue.key(place))).toEqual(['b-1', 'b-0', 'b-2', 'b-4', 'b-3']);
        expect(order('wallet-hour@global')).toEqual(['d-1', 'd-0']);
        expect(order(Queue.PEOPLE)).toEqual(['p-1', 'p-0']);
        // No queue is torn apart by another.
        const queues = listed.map(Queue.keyOf);
        const runs = queues.filter((queue, position) => queue !== queues[position - 1]);
        expect(runs).toHaveLength(3);
        expect(await store.held.list(4)).toEqual(listed.slice(0, 4));
      });

      test('behavior: comes back whole, is put again with another need, and is gone once deleted', async () => {
        const held = heldOne('w', 7, { ...place, need: Money.MAX });
        await commit({ held: [{ held, change: 'put' }] });
        expect(await store.held.list(10)).toEqual([held]);
        const less = heldOne('w', 7, { ...place, need: 1n });
        await commit({ held: [{ held: less, change: 'put' }] });
        expect(await store.held.list(10)).toEqual([less]);
        // From one queue to another in one commit.
        const person = heldOne('w', 7, null);
        await commit({
          held: [
            { held: less, change: 'delete' },
            { held: person, change: 'put' },
          ],
        });
        expect(await store.held.list(10)).toEqual([person]);
        await commit({ held: [{ held: person, change: 'delete' }] });
        expect(await store.held.list(10)).toEqual([]);
        // What is not there is deleted without an error: its row decides.
        expect(await commit({ held: [{ held: person, change: 'delete' }] })).toBe('committed');
      });

      test('behavior: H17: a commit that loses puts nothing into a queue and takes nothing out', async () => {
        const [old, young] = [heldOne('old', 1), heldOne('young', 2)];
        await commit({ rows: [putRow(row('r'))], held: [{ held: old, change: 'put' }] });
        const lost = {
          rows: [putRow(row('r'))],
          held: [
            { held: old, change: 'delete' },
            { held: young, change: 'put' },
          ],
        } as const;
        expect(await commit(lost)).toBe('conflict');
        expect(await store.held.list(10)).toEqual([old]);
      });

      test('behavior: no change of a queue is told as a change of the control rows', async () => {
        const held = heldOne('w', 1);
        await commit({ held: [{ held, change: 'put' }] });
        await commit({ held: [{ held, change: 'delete' }] });
        expect(await opened.records()).toEqual([]);
      });

      test('behavior: ids that look alike never meet (H25)', async () => {
        const ids = TRICKY_IDS.filter((id) => id !== '');
        await commit({
          held: ids.map((id) => ({ held: heldOne(id, 1), change: 'put' })),
        });
        const listed = await store.held.list(1_000);
        expect(listed.map(({ rowId }) => rowId).sort()).toEqual([...ids].sort());
      });
    });

    describe('held.heads', () => {
      const putAll = async (all: readonly Queue.Held[]): Promise<void> => {
        for (let at = 0; at < all.length; at += 50) {
          const held = all.slice(at, at + 50).map((one) => ({ held: one, change: 'put' }) as const);
          await commit({ held });
        }
      };
      const inQueue = (scope: string, ms: readonly number[]) =>
        ms.map((each, n) => heldOne(`${scope}-${n}`, each, { ...place, scope }));

      test('default: none', async () => {
        expect(await store.held.heads(10, 10)).toEqual([]);
      });

      test('behavior: H79: the first of each queue, oldest first, however long one is', async () => {
        const flood = inQueue(
          'actor:greedy',
          Array.from({ length: 300 }, (_, n) => 1_000 - n),
        );
        const others = [...inQueue('global', [5, 3, 9]), ...inQueue('wallet:b', [7])];
        await putAll([...flood, ...others, heldOne('person', 1, null)]);
        for (const from of [undefined, '4', '8', 'c', 'f'.repeat(64)]) {
          const heads = await store.held.heads(2, 10, from);
          const of = (queue: string) => heads.filter((held) => Queue.keyOf(held) === queue);
          expect(of(`wallet-hour@actor:greedy`).map(({ heldAtMs }) => heldAtMs)).toEqual([
            701, 702,
          ]);
          expect(of('wallet-hour@global').map(({ heldAtMs }) => heldAtMs)).toEqual([3, 5]);
          expect(of('wallet-hour@wallet:b').map(({ heldAtMs }) => heldAtMs)).toEqual([7]);
          expect(of(Queue.PEOPLE)).toEqual([heldOne('person', 1, null)]);
          expect(heads).toHaveLength(6);
        }
      });

      test('behavior: H79: of more queues than are asked for every one comes first for some beginning', async () => {
        const scopes = ['actor:a', 'actor:b', 'actor:c', 'actor:d', 'actor:e', 'actor:f'];
        await putAll(scopes.flatMap((scope) => inQueue(scope, [1, 2])));
        const digits = [...Array(256).keys()].map((n) => n.toString(16).padStart(2, '0'));
        const firsts = new Set<string>();
        for (const from of digits) {
          const heads = await store.held.heads(1, 2, from);
          expect(new Set(heads.map(Queue.keyOf)).size).toBe(2);
          firsts.add(heads[0]?.rowId ?? '');
        }
        expect([...firsts].sort()).toEqual(scopes.map((scope) => `${scope}-0`));
      });
    });

    describe('held.behind', () => {
      test('behavior: H79: those behind one in its queue, oldest first, and of no other', async () => {
        const mine = [5, 1, 3, 9].map((ms, n) => heldOne(`w-${n}`, ms));
        const others = ['actor:a', 'actor:b', 'actor:c', 'global'].map((scope) =>
          heldOne(`o-${scope}`, 4, { ...place, scope }),
        );
        const all = [...mine, ...others, heldOne('p', 4, null)];
        await commit({ held: all.map((held) => ({ held, change: 'put' })) });
        const [first, second, third, last] = mine.toSorted(Queue.byAge);
        if (!first || !last) throw new Error('four were put');
        expect(await store.held.behind(first, 10)).toEqual([second, third, last]);
        expect(await store.held.behind(first, 2)).toEqual([second, third]);
        expect(await store.held.behind(last, 10)).toEqual([]);
        // One that has gone since: those that stood behind it.
        await commit({ held: [{ held: first, change: 'delete' }] });
        expect(await store.held.behind(first, 1)).toEqual([second]);
      });
    });

    describe('decisions.load of gates', () => {
      test('default: they are among the items, and absent where nothing is stored', async () => {
        await commit({ items: [putItem('destination:a', Build.item({ version: 3 }))] });
        const gates = ['destination:a', 'destination:b'];
        const { items } = await store.decisions.load({ rows: [], items: ['global'], gates });
        expect(items.get('destination:a')?.version).toBe(3);
        expect(items.has('destination:b')).toBe(false);
      });

      test('behavior: one that is among the items too is read all the same', async () => {
        await commit({ items: [putItem('destination:a', Build.item({ version: 3 }))] });
        const keys = { rows: [], items: ['destination:a'], gates: ['destination:a'] };
        expect((await store.decisions.load(keys)).items.get('destination:a')?.version).toBe(3);
      });
    });

    describe('decisions.load of queues', () => {
      const counted = (count: number) =>
        Build.item({ waiting: [{ limitId: place.limitId, count }] });
      const loadQueues = async (...queues: readonly Pick<Queue.Place, 'limitId' | 'scope'>[]) => {
        const items = queues.map(({ scope }) => scope);
        return (await store.decisions.load({ rows: [], items, queues })).queues;
      };

      test('default: the queue that was asked for, by age, and no other', async () => {
        const held = [5, 1, 3].map((ms, n) => heldOne(`w-${n}`, ms));
        const other = heldOne('other', 0, { ...place, limitId: 'wallet-day' });
        await commit({
          items: [putItem(place.scope, counted(3))],
          held: [...held, other, heldOne('p', 0, null)].map((one) => ({
            held: one,
            change: 'put',
          })),
        });
        const queues = await loadQueues(place, { ...place, limitId: 'wallet-day' });
        const byAge = held.toSorted(Queue.byAge);
        expect(queues).toEqual(new Map([[Queue.key(place), byAge]]));
      });

      test('behavior: only where the item says that somebody waits', async () => {
        await commit({
          items: [putItem(place.scope, Build.item())],
          held: [{ held: heldOne('w', 1), change: 'put' }],
        });
        expect(await loadQueues(place)).toBeUndefined();
        await commit({ items: [putItem(place.scope, { ...counted(1), version: 8 }, 7)] });
        expect(await loadQueues(place)).toEqual(new Map([[Queue.key(place), [heldOne('w', 1)]]]));
      });

      test('behavior: an item keeps how many wait, by limit', async () => {
        const waiting = [
          { limitId: 'wallet-hour', count: 3 },
          { limitId: 'wallet-day', count: 1 },
        ];
        await commit({ items: [putItem(place.scope, Build.item({ waiting }))] });
        expect(await loadItem(place.scope)).toEqual(Build.item({ waiting }));
      });

      test('behavior: of a long queue the oldest that a decision looks at', async () => {
        const all = Array.from({ length: Queue.LOOKED_AT_MAX + 50 }, (_, n) =>
          heldOne(`w-${n}`, 10_000 - n),
        );
        await commit({ items: [putItem(place.scope, counted(all.length))] });
        for (let at = 0; at < all.length; at += 50) {
          const held = all.slice(at, at + 50).map((one) => ({ held: one, change: 'put' }) as const);
          await commit({ held });
        }
        const queue = (await loadQueues(place))?.get(Queue.key(place));
        expect(queue).toEqual(all.toReversed().slice(0, Queue.LOOKED_AT_MAX));
        expect(await store.held.list(1_000)).toHaveLength(all.length);
      });

      test('behavior: H79: where all of these are stopped, the first behind them that is not', async () => {
        const length = Queue.LOOKED_AT_MAX + 50;
        const all = Array.from({ length }, (_, n) => heldOne(`w-${n}`, n));
        const free = [heldOne('free', length), heldOne('free too', length + 1)].map((held) => {
          return { ...held, goesAtMs: length };
        });
        await commit({ items: [putItem(place.scope, counted(length + free.length))] });
        const put = [...all, ...free];
        for (let at = 0; at < put.length; at += 50) {
          const held = put.slice(at, at + 50).map((one) => ({ held: one, change: 'put' }) as const);
          await commit({ held });
        }
        const queue = (await loadQueues(place))?.get(Queue.key(place));
        expect(queue).toEqual([...all.slice(0, Queue.LOOKED_AT_MAX), free[0]]);
      });

      test('behavior: a held row keeps its places and who let it go', async () => {
        const money = {
          transfer: Build.transfer(),
          subject: Build.subject(),
          charged: [],
          chargedAtMs: Build.T0_MS,
        };
        const places = [
          { ...place, need: Money.MAX },
          { ...place, limitId: 'wallet-day' },
        ];
        const held = row('h', { state: 'held', places, money });
        const person = row('p', { state: 'held', money });
        const released = row('r', {
          state: 'reserved',
          released: { by: 'ann', atMs: Build.T0_MS },
          money,
        });
        await commit({ rows: [held, person, released].map((one) => putRow(one)) });
        expect(await loadRow('h')).toEqual(held);
        expect(await loadRow('p')).toEqual(person);
        expect(await loadRow('r')).toEqual(released);
      });
    });

    describe('openReservations.before', () => {
      const reserved = (id: string, chargedAtMs: number, parts: Partial<Ledger.Row> = {}) => {
        const rowId = `withdrawal:${id}`;
        const [transfer, subject] = [Build.transfer(), Build.subject()];
        const money = { transfer, subject, charged: [], chargedAtMs };
        return row(rowId, { state: 'reserved', money, ...parts });
      };
      const openBefore = (atMs: number, limit = 100) => store.openReservations.before(atMs, limit);
      const T = Build.T0_MS;

      test('default: none', async () => {
        expect(await openBefore(T)).toEqual([]);
      });

      test('behavior: those charged before, the oldest first, at most the limit', async () => {
        const times = [T + 5, T, T + 9, T + 1_000];
        const rows = times.map((ms, n) => putRow(reserved(`w-${n}`, ms)));
        expect(await commit({ rows })).toBe('committed');
        const w = (n: number) => ({ withdrawalId: `w-${n}`, chargedAtMs: times[n] ?? 0 });
        expect(await openBefore(T + 1_001)).toEqual([w(1), w(0), w(2), w(3)]);
        expect(await openBefore(T + 1_000)).toEqual([w(1), w(0), w(2)]);
        expect(await openBefore(T)).toEqual([]);
        expect(await openBefore(T + 1_001, 2)).toEqual([w(1), w(0)]);
      });

      test('behavior: one whose outcome is known is listed no more, in the commit that knows it', async () => {
        const states = ['matched', 'reported', 'failed', 'cancelled', 'held', 'noted'] as const;
        const first = [...states, 'reserved' as const].map((state) => putRow(reserved(state, T)));
        await commit({ rows: first, items: [putItem('global', Build.item())] });
        expect(await openBefore(T + 1)).toHaveLength(7);
        await commit({
          rows: states.map((state) => putRow(reserved(state, T, { version: 2, state }), 1)),
          items: [putItem('global', Build.item({ version: 8 }), 7)],
        });
        expect(await openBefore(T + 1)).toEqual([{ withdrawalId: 'reserved', chargedAtMs: T }]);
      });

      test('behavior: one whose charge has moved is as old as its charge', async () => {
        await commit({ rows: [putRow(reserved('a', T)), putRow(reserved('b', T + 1))] });
        const later = reserved('a', T + 2, { version: 2 });
        await commit({ rows: [putRow(later, 1)] });
        expect((await openBefore(T + 3)).map(({ withdrawalId }) => withdrawalId)).toEqual([
          'b',
          'a',
        ]);
      });

      test('behavior: H17: a commit that loses opens none and closes none', async () => {
        await commit({ rows: [putRow(reserved('a', T))] });
        const lost = [putRow(reserved('a', T, { version: 2, state: 'matched' }), 7)];
        expect(await commit({ rows: [...lost, putRow(reserved('b', T))] })).toBe('conflict');
        expect((await openBefore(T + 1)).map(({ withdrawalId }) => withdrawalId)).toEqual(['a']);
      });
    });

    describe('openReservations.unseen', () => {
      const T = Build.T0_MS;
      const waits = (id: string, chargedAtMs: number, parts: Partial<Ledger.Row> = {}) => {
        const [transfer, subject] = [Build.transfer(), Build.subject()];
        const money = { transfer, subject, charged: [], chargedAtMs };
        return row(`withdrawal:${id}`, { state: 'reported', isAwaited: true, money, ...parts });
      };
      const unseen = async (atMs: number, limit = 100) =>
        (await store.openReservations.unseen(atMs, limit)).map(({ withdrawalId }) => withdrawalId);

      test('default: none', async () => {
        expect(await unseen(T)).toEqual([]);
      });

      test('behavior: those charged before, the oldest first, at most the limit', async () => {
        await commit({ rows: [T + 5, T, T + 9].map((ms, n) => putRow(waits(`w-${n}`, ms))) });
        expect(await unseen(T + 10)).toEqual(['w-1', 'w-0', 'w-2']);
        expect(await unseen(T + 9)).toEqual(['w-1', 'w-0']);
        expect(await unseen(T)).toEqual([]);
        expect(await unseen(T + 10, 1)).toEqual(['w-1']);
      });

      test('behavior: only where the chain is watched, and not while it is a reservation', async () => {
        const { isAwaited: _, ...unwatched } = waits('unwatched', T);
        await commit({
          rows: [unwatched, waits('reserved', T, { state: 'reserved' }), waits('w', T)].map(
            (each) => putRow(each),
          ),
        });
        expect(await unseen(T + 1)).toEqual(['w']);
        const open = await store.openReservations.before(T + 1, 100);
        expect(open.map(({ withdrawalId }) => withdrawalId)).toEqual(['reserved']);
      });

      test('behavior: one that was seen is listed no more, and again once it left the chain', async () => {
        await commit({ rows: [putRow(waits('w', T))] });
        expect((await loadRow('withdrawal:w'))?.isAwaited).toBe(true);
        await commit({ rows: [putRow(waits('w', T, { state: 'matched', version: 2 }), 1)] });
        expect(await unseen(T + 1)).toEqual([]);
        await commit({ rows: [putRow(waits('w', T, { version: 3 }), 2)] });
        expect(await unseen(T + 1)).toEqual(['w']);
      });

      test('behavior: H17: a commit that loses lists none and forgets none', async () => {
        await commit({ rows: [putRow(waits('a', T))] });
        const lost = putRow(waits('a', T, { version: 2, state: 'matched' }), 7);
        expect(await commit({ rows: [lost, putRow(waits('b', T))] })).toBe('conflict');
        expect(await unseen(T + 1)).toEqual(['a']);
      });
    });

    describe('proposals', () => {
      const T = Build.T0_MS;
      const signature = { operator: 'alice', address: '0xa', signature: '0xb', atMs: T, round: 1 };
      const resume: Proposal.Action = {
        kind: 'resume',
        order: {
          incidentId: 'INC1',
          scope: 'global',
          epoch: 3,
          steps: [
            { shareBps: 1_000, forMs: 1, assets: ['eip155:1/*'] },
            { shareBps: 10_000, forMs: 2, chains: ['eip155:1'] },
          ],
          budget: Money.MAX,
          rebase: [{ limitId: 'l', scope: 'global' }],
          also: [{ incidentId: 'INC2', scope: 'wallet:a', epoch: 1 }],
        },
      };
      const proposal = (
        proposalId: string,
        parts: Partial<Proposal.Proposal> = {},
      ): Proposal.Proposal => ({
        proposalId,
        action: { kind: 'maintenance', scope: 'global' },
        policyHash: 'e'.repeat(64),
        notBeforeMs: T,
        expiresAtMs: T + 1,
        reason: 'ü "x"',
        proposedBy: 'anybody',
        proposedAtMs: T,
        round: 1,
        approvals: [],
        vetoes: [],
        state: 'open',
        ...parts,
      });

      test('default: none', async () => {
        expect(await store.proposals.list(10)).toEqual([]);
        expect(await store.proposals.due(T, 10)).toEqual([]);
        expect(await store.proposals.draft('none')).toBeUndefined();
      });

      test('behavior: every kind comes back whole, on its row and in the list, newest first', async () => {
        const veto = { ...signature, reason: 'no' };
        const all = [
          proposal('A', { action: resume, approvals: [signature], vetoes: [veto], round: 2 }),
          proposal('B', {
            action: { kind: 'policy', hash: 'h', revokes: false, changes: ['x'], delayMs: 1 },
            state: 'void',
            ended: { atMs: T, why: 'late' },
          }),
          proposal('C', {
            action: { kind: 'allowance', limitId: 'l', scope: 'global', extraBps: 1, untilMs: T },
          }),
          proposal('D'),
        ];
        for (const one of all) {
          const written = row(`proposal:${one.proposalId}`, { proposal: one });
          await commit({ rows: [putRow(written)], proposals: [{ proposal: one }] });
        }
        const rows = all.map(({ proposalId }) => `proposal:${proposalId}`);
        const loaded = await store.decisions.load({ rows, items: [] });
        expect(rows.map((rowId) => loaded.rows.get(rowId)?.proposal)).toEqual(all);
        expect(await store.proposals.list(10)).toEqual(all.toReversed());
        expect(await store.proposals.list(1)).toEqual([all[3]]);
        const told = all.map((one) => ({ type: 'proposal-changed', proposal: one }));
        expect(await opened.records()).toEqual(told);
      });

      test('behavior: approved ones are due at their time, until they are carried out or objected to', async () => {
        const approved = (proposalId: string, dueAtMs: number) =>
          proposal(proposalId, { state: 'approved', dueAtMs });
        const [late, early] = [approved('A', T + 5), approved('B', T)];
        await commit({ proposals: [{ proposal: late }, { proposal: early }] });
        expect(await store.proposals.due(T - 1, 10)).toEqual([]);
        expect(await store.proposals.due(T, 10)).toEqual(['B']);
        expect(await store.proposals.due(T + 5, 10)).toEqual(['B', 'A']);
        expect(await store.proposals.due(T + 5, 1)).toEqual(['B']);
        const done = proposal('B', { state: 'done', dueAtMs: T });
        await commit({ proposals: [{ proposal: done, before: early }] });
        const objected = proposal('A', { round: 2 });
        await commit({ proposals: [{ proposal: objected, before: late }] });
        expect(await store.proposals.due(T + 9, 10)).toEqual([]);
      });

      test('behavior: H17: a commit that loses changes no proposal', async () => {
        await commit({ rows: [putRow(row('r'))], proposals: [{ proposal: proposal('A') }] });
        const next = { proposal: proposal('A', { state: 'void' }) };
        const lost = await commit({ rows: [putRow(row('r'))], proposals: [next] });
        expect(lost).toBe('conflict');
        expect(await store.proposals.list(10)).toEqual([proposal('A')]);
      });

      test('behavior: the text of a policy stays as it was proposed first, and is no news', async () => {
        const draftPolicy = { hash: 'h', source: 'text', compiled: 'compiled' };
        await commit({ draftPolicy });
        await commit({ draftPolicy: { ...draftPolicy, source: 'other' } });
        expect(await store.proposals.draft('h')).toEqual(draftPolicy);
        expect(await opened.records()).toEqual([]);
      });
    });

    describe('graces.over', () => {
      const T = Build.T0_MS;
      const grace = (rowId: string, untilMs: number, change: 'put' | 'delete' = 'put') => ({
        grace: { rowId, untilMs },
        change,
      });

      test('default: none', async () => {
        expect(await store.graces.over(T, 10)).toEqual([]);
      });

      test('behavior: those that are over, the first first, at most the limit', async () => {
        await commit({ graces: [grace('late', T + 1_000), grace('b', T), grace('a', T + 1)] });
        expect(await store.graces.over(T - 1, 10)).toEqual([]);
        expect(await store.graces.over(T, 10)).toEqual(['b']);
        expect(await store.graces.over(T + 999, 10)).toEqual(['b', 'a']);
        expect(await store.graces.over(T + 1_000, 2)).toEqual(['b', 'a']);
        expect(await store.graces.over(T + 1_000, 10)).toEqual(['b', 'a', 'late']);
      });

      test('behavior: one that is ended is gone; one that runs anew is as old as its new end', async () => {
        await commit({ graces: [grace('a', T), grace('b', T + 1)] });
        await commit({ graces: [grace('a', T, 'delete'), grace('a', T + 2)] });
        expect(await store.graces.over(T + 9, 10)).toEqual(['b', 'a']);
        await commit({ graces: [grace('a', T + 2, 'delete')] });
        expect(await store.graces.over(T + 9, 10)).toEqual(['b']);
      });

      test('behavior: H17: a commit that loses begins none and ends none', async () => {
        await commit({ rows: [putRow(row('r'))], graces: [grace('a', T)] });
        const graces = [grace('a', T, 'delete'), grace('b', T)];
        expect(await commit({ rows: [putRow(row('r'))], graces })).toBe('conflict');
        expect(await store.graces.over(T, 10)).toEqual(['a']);
      });

      test('behavior: ids that look alike never meet (H25)', async () => {
        const ids = ['a', 'A', 'a ', '~a', 'ä', 'a#1', 'x'.repeat(2_000), `${'x'.repeat(1_999)}y`];
        await commit({ graces: ids.map((rowId) => grace(rowId, T)) });
        expect([...(await store.graces.over(T, 100))].sort()).toEqual([...ids].sort());
      });

      test('behavior: no grace is told as a change of the control rows', async () => {
        await commit({ graces: [grace('a', T)] });
        await commit({ graces: [grace('a', T, 'delete')] });
        expect(await opened.records()).toEqual([]);
      });

      test('behavior: a row keeps its grace, what it was sent with, and what waits between its ends', async () => {
        const ends = {
          approvals: [
            { rowIds: ['withdrawal:a', 'withdrawal:b'], amount: Money.MAX },
            { rowIds: ['withdrawal:c'], amount: 0n, transaction: '0xa', nonce: 0 },
          ],
          seen: [{ rowId: 'outflow:x', amount: 2n ** 70n, transaction: '0xb', nonce: 7 }],
          movements: [{ movementId: 'm', left: Money.MAX, untilMs: T }],
        };
        const kept = row('p', {
          graceUntilMs: T,
          sent: { transaction: '0xa', nonce: 3 },
          sequence: 9,
          links: ['withdrawal:b'],
          movementId: 'm',
          ends,
        });
        await commit({ rows: [putRow(kept)] });
        expect(await loadRow('p')).toEqual(kept);
      });
    });

    describe('incidents', () => {
      test('default: none', async () => {
        expect(await store.incidents.get('INC')).toBeUndefined();
        expect(await store.incidents.causes('INC')).toEqual([]);
        expect(await store.incidents.list(10)).toEqual([]);
        expect(await store.incidents.listOpen(10)).toEqual([]);
      });

      test('behavior: newest first, at most the limit', async () => {
        const ids = Array.from({ length: 12 }, (_, n) => `INC${String(n).padStart(3, '0')}`);
        for (const id of ids) await commit({ incidents: [write(id, 'absent')] });
        const newest = [...ids].reverse();
        const listed = async (limit: number) =>
          (await store.incidents.list(limit)).map(({ incidentId }) => incidentId);
        expect(await listed(3)).toEqual(newest.slice(0, 3));
        expect(await listed(12)).toEqual(newest);
        expect(await listed(1_000)).toEqual(newest);
      });

      test('behavior: what is open is found behind everything that is closed, at most the limit', async () => {
        const text = 'x'.repeat(120_000);
        await commit({ incidents: [write('INC-A', 'absent'), write('INC-B', 'absent')] });
        const done = Array.from({ length: 12 }, (_, n) => `INC-C${n}`);
        await commit({ incidents: done.map((id) => write(id, 'absent')) });
        await commit({
          incidents: done.map((id) => ({
            incident: incident(id, { state: 'closed', closed, first: cause({ text }) }),
            expected: 'open',
          })),
        });
        const listed = async (limit: number) =>
          (await store.incidents.listOpen(limit)).map(({ incidentId }) => incidentId);
        expect(await listed(1_000)).toEqual(['INC-B', 'INC-A']);
        expect(await listed(2)).toEqual(['INC-B', 'INC-A']);
        expect(await listed(1)).toEqual(['INC-B']);
      });

      test('behavior: more than one page of 1 MB is still all of it (H85)', async () => {
        const text = 'x'.repeat(120_000);
        const numbers = Array.from({ length: 20 }, (_, position) => position + 2);
        await commit({
          causes: numbers.map((number) => ({
            incidentId: 'INC',
            number,
            cause: cause({ text, notional: BigInt(number) }),
          })),
        });
        const causes = await store.incidents.causes('INC');
        expect(causes.map(({ notional }) => Number(notional))).toEqual(numbers);
        await commit({
          incidents: numbers.map((number) => ({
            incident: incident(`INC${number + 10}`, { first: cause({ text }) }),
            expected: 'absent',
          })),
        });
        expect(await store.incidents.list(1_000)).toHaveLength(20);
        expect(await store.incidents.list(15)).toHaveLength(15);
      });

      test('behavior: ids that look alike never meet (H25)', async () => {
        await commit({ incidents: TRICKY_IDS.map((id) => write(id, 'absent')) });
        await commit({
          causes: TRICKY_IDS.map((id) => ({
            incidentId: id,
            number: 2,
            cause: cause({ text: `cause of ${id}` }),
          })),
        });
        await commit({ alerts: TRICKY_IDS.map((id) => alert(id)) });
        for (const id of TRICKY_IDS) {
          expect((await store.incidents.get(id))?.incidentId).toBe(id);
          expect(await store.incidents.causes(id)).toEqual([cause({ text: `cause of ${id}` })]);
        }
        const records = await opened.records();
        expect(records.filter(({ type }) => type === 'alert-raised')).toHaveLength(
          TRICKY_IDS.length,
        );
      });
    });

    describe('policies.load', () => {
      test('default: the same text, byte for byte', async () => {
        const source = `# ${'ü\r\n\t'.repeat(30_000)}`;
        await commit({ policy: policy(1, source) });
        await commit({ policy: policy(11, 'eleven') });
        expect(await store.policies.load(1)).toEqual(policy(1, source));
        expect((await store.policies.load(11))?.source).toBe('eleven');
        const { compiled: _, ...older } = policy(12, 'of an older version');
        await commit({ policy: older });
        expect(await store.policies.load(12)).toEqual(older);
        expect(await store.policies.load(2)).toBeUndefined();
      });
    });

    describe('health', () => {
      test('default: no heartbeat and no leases', async () => {
        expect(await store.health.heartbeat()).toBeUndefined();
        expect(await store.health.leases()).toEqual({});
      });

      test('behavior: a stuck event is noted with its time', async () => {
        expect(await store.health.stuckAtMs()).toBeUndefined();
        await store.health.noteStuck(7);
        await store.health.noteStuck(9);
        expect(await store.health.stuckAtMs()).toBe(9);
      });

      test('behavior: the last committed heartbeat stays', async () => {
        const heartbeat = { sentAtMs: 1, receivedAtMs: 2, oldestWaitingMs: 3 };
        await commit({ heartbeat: { ...heartbeat, sentAtMs: 0 } });
        await commit({ heartbeat });
        expect(await store.health.heartbeat()).toEqual(heartbeat);
      });

      test('behavior: older leases change nothing', async () => {
        await store.health.renew({ 'eip155:1': 200 }, 20);
        await store.health.renew({ 'eip155:1': 100, 'eip155:56': 100 }, 19);
        expect(await store.health.leases()).toEqual({ 'eip155:1': 200 });
        await store.health.renew({ 'eip155:56': 201 }, 20);
        expect(await store.health.leases()).toEqual({ 'eip155:56': 201 });
        await store.health.renew({ 'eip155:56': 300 }, 21);
        expect(await store.health.leases()).toEqual({ 'eip155:56': 300 });
      });

      test('args: a chain named __proto__ is a chain (H25)', async () => {
        await store.health.renew(Object.fromEntries([['__proto__', 5]]), 1);
        const leases = await store.health.leases();
        expect(Object.entries(leases)).toEqual([['__proto__', 5]]);
      });
    });

    describe('sights', () => {
      test('default: no chain was seen', async () => {
        expect(await store.health.sights(['eip155:1'])).toEqual(new Map());
      });

      test('behavior: the newest sight of each chain, and of those asked for only', async () => {
        const sight = { seenAtMs: 20, timestampMs: 19 };
        await store.health.noteSight('eip155:1', sight);
        await store.health.noteSight('eip155:1', { seenAtMs: 19, timestampMs: 30 });
        await store.health.noteSight('eip155:56', { ...sight, stopped: 'too deep' });
        expect(await store.health.sights(['eip155:1'])).toEqual(new Map([['eip155:1', sight]]));
        const both = await store.health.sights(['eip155:56', 'eip155:1', 'eip155:5']);
        expect(both.size).toBe(2);
        expect(both.get('eip155:56')).toEqual({ ...sight, stopped: 'too deep' });
        await store.health.noteSight('eip155:56', sight);
        expect((await store.health.sights(['eip155:56'])).get('eip155:56')).toEqual(sight);
      });
    });

    describe('watches', () => {
      const fresh = Watch.start('eip155:1', Build.T0_MS);

      test('default: nothing is remembered', async () => {
        expect(await store.watches.load('eip155:1')).toBeUndefined();
      });

      test('behavior: what was saved comes back whole, with the next version', async () => {
        const hashOf = (at: number) => `0x${Build.hash(`${at}`)}`;
        const recent = Array.from({ length: 256 }, (_, at) => ({ number: at, hash: hashOf(at) }));
        const rowIds = recent.map(({ hash }) => `outflow:eip155:1:${hash}:log:0`);
        const state: Watch.State = {
          ...fresh,
          beganAt: 0,
          cursor: { ...fresh.cursor, recent, accounted: { number: 0, hash: hashOf(0) } },
          grants: ['eip155:1:0xab|eip155:1/erc20:0xcd'],
          told: [{ block: hashOf(1), rowIds }],
          begun: [{ rowId: rowIds[0] ?? '', number: 1 }],
          stopped: 'ü',
        };
        expect(await store.watches.save(state)).toBe('saved');
        expect(await store.watches.load('eip155:1')).toEqual({ ...state, version: 1 });
        expect(await store.watches.load('eip155:56')).toBeUndefined();
      });

      test('behavior: H16 of two that save at once one loses, and nothing of it is written', async () => {
        expect(await store.watches.save(fresh)).toBe('saved');
        expect(await store.watches.save({ ...fresh, sequence: 1 })).toBe('conflict');
        const first = await store.watches.load('eip155:1');
        expect(first).toEqual({ ...fresh, version: 1 });
        const saved = await Promise.all([
          store.watches.save({ ...fresh, version: 1, sequence: 2 }),
          store.watches.save({ ...fresh, version: 1, sequence: 3 }),
        ]);
        expect(saved.toSorted()).toEqual(['conflict', 'saved']);
        expect((await store.watches.load('eip155:1'))?.version).toBe(2);
      });
    });

    describe('prices', () => {
      const quotes = new Map([
        ['http ethereum', { pricePicoUsd: 10n ** 30n, atMs: Build.T0_MS }],
        ['__proto__', { pricePicoUsd: 1n, atMs: 0 }],
      ]);
      const value = { quotes, askedAtMs: Build.T0_MS };

      test('default: none yet', async () => {
        const none = { version: 0, value: { quotes: new Map(), askedAtMs: 0 } };
        expect(await store.prices.load()).toEqual(none);
      });

      test('behavior: H16 of two that put at once one loses, and nothing of it is written', async () => {
        expect(await store.prices.put({ version: 0, value })).toBe('put');
        const later = { ...value, askedAtMs: Build.T0_MS + 1 };
        expect(await store.prices.put({ version: 0, value: later })).toBe('conflict');
        expect(await store.prices.load()).toEqual({ version: 1, value });
        expect(await store.prices.put({ version: 1, value: later })).toBe('put');
        expect(await store.prices.load()).toEqual({ version: 2, value: later });
      });

      test('behavior: a decision reads them where it asks for them', async () => {
        await store.prices.put({ version: 0, value });
        const keys = { rows: [], items: ['global'] };
        const asked = { ...keys, facts: { prices: true, balances: [] } };
        expect((await store.decisions.load(asked)).facts?.quotes).toEqual(quotes);
        const other = { ...keys, facts: { prices: false, balances: [] } };
        expect((await store.decisions.load(other)).facts?.quotes).toEqual(new Map());
        expect((await store.decisions.load(keys)).facts).toBeUndefined();
      });
    });

    describe('balances', () => {
      const noted = (amounts: readonly bigint[]) =>
        amounts.reduce<Balance.Balance | undefined>(
          (before, amount, at) =>
            Balance.note(before, { amount, atMs: Build.T0_MS + at * 7 * Build.MINUTE_MS }),
          undefined,
        );
      const value = noted([0n, 5n, 5n, Money.MAX, 10n ** 24n]);
      if (!value) throw new Error('nothing was noted');

      test('default: none yet', async () => {
        expect(await store.balances.load('s')).toEqual({ version: 0, value: undefined });
      });

      test('behavior: what was put comes back whole, for its scope only', async () => {
        for (const scope of TRICKY_IDS.slice(1)) {
          expect(await store.balances.put(scope, { version: 0, value })).toBe('put');
        }
        expect((await store.balances.load(TRICKY_IDS[0] ?? '')).version).toBe(0);
        for (const scope of TRICKY_IDS.slice(1)) {
          expect(await store.balances.load(scope)).toEqual({ version: 1, value });
        }
      });

      test('behavior: H16 of two that put at once one loses', async () => {
        await store.balances.put('s', { version: 0, value });
        const next = Balance.note(value, { amount: 1n, atMs: value.newestMs + 1 });
        const put = await Promise.all([
          store.balances.put('s', { version: 1, value: next }),
          store.balances.put('s', { version: 1, value: next }),
        ]);
        expect(put.toSorted()).toEqual(['conflict', 'put']);
        expect(await store.balances.load('s')).toEqual({ version: 2, value: next });
      });

      test('behavior: a decision reads those that it asks for; what is not there is absent', async () => {
        await store.balances.put('a', { version: 0, value });
        await store.balances.put('b', { version: 0, value });
        const facts = { prices: true, balances: ['a', 'none'] };
        const loaded = await store.decisions.load({ rows: [], items: [], facts });
        expect(loaded.facts?.balances).toEqual(new Map([['a', value]]));
      });
    });

    describe('audit', () => {
      const chain = (entries: readonly Audit.Entry[], head = Audit.GENESIS) =>
        Audit.extend(head, entries, nodeDigest.hash);
      const entries = TRICKY_IDS.map((id) => entry(id, { scope: id, reason: id }));
      const seal = (sequence: number): Audit.Seal => ({
        sequence,
        hash: Build.hash(`${sequence}`),
        jws: 'a.b.c',
        jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k', alg: 'ES256', use: 'sig' },
      });

      test('default: an empty chain', async () => {
        expect(await store.audit.head()).toEqual(Audit.GENESIS);
        expect(await store.audit.appended(['a'])).toEqual(new Set());
        expect(await store.audit.links(1, 10)).toEqual([]);
        expect(await store.audit.seal()).toBeUndefined();
        expect(await store.audit.copied()).toBe(0);
        expect(await store.audit.deferred(10)).toEqual([]);
        expect(await store.audit.recorded()).toEqual([]);
      });

      test('behavior: links come back whole and in order, and their entries are known', async () => {
        const links = chain(entries);
        expect(await store.audit.append(links.slice(0, 9), Audit.GENESIS)).toBe('appended');
        const head = Audit.headAfter(Audit.GENESIS, links.slice(0, 9));
        expect(await store.audit.head()).toEqual(head);
        expect(await store.audit.append(links.slice(9), head)).toBe('appended');
        expect(await store.audit.links(1, 100)).toEqual(links);
        expect(await store.audit.links(3, 2)).toEqual(links.slice(2, 4));
        expect(await store.audit.appended([...TRICKY_IDS, 'none'])).toEqual(new Set(TRICKY_IDS));
      });

      test('behavior: as many links as one append takes', async () => {
        const many = Array.from({ length: LINKS_MAX }, (_, at) => entry(`e${at}`));
        expect(await store.audit.append(chain(many), Audit.GENESIS)).toBe('appended');
        const more = chain([...many, entry('one more')]);
        await expect(store.audit.append(more, Audit.GENESIS)).rejects.toThrow();
      });

      test('behavior: H16 of two that append at once one loses, and nothing of it is written', async () => {
        const appended = await Promise.all([
          store.audit.append(chain([entry('a'), entry('b')]), Audit.GENESIS),
          store.audit.append(chain([entry('c')]), Audit.GENESIS),
        ]);
        expect(appended.toSorted()).toEqual(['appended', 'conflict']);
        const won = (await store.audit.links(1, 9)).map(({ entry: { entryId } }) => entryId);
        expect(await store.audit.appended(['a', 'b', 'c'])).toEqual(new Set(won));
      });

      test('behavior: an entry that is in the chain is not appended again', async () => {
        await store.audit.append(chain([entry('a')]), Audit.GENESIS);
        const head = await store.audit.head();
        const again = chain([entry('b'), entry('a')], head);
        expect(await store.audit.append(again, head)).toBe('conflict');
        expect((await store.audit.head()).sequence).toBe(1);
        const wrong = { ...head, hash: Build.hash('other') };
        expect(await store.audit.append(chain([entry('b')], wrong), wrong)).toBe('conflict');
      });

      test('behavior: entries of a commit and others are told once, and stay as they were', async () => {
        const committed = changes({ entries: [entry('a'), entry('b')] });
        expect(await store.decisions.commit(committed)).toBe('committed');
        const again = changes({ entries: [entry('a', { reason: 'other' })] });
        expect(await store.decisions.commit(again)).toBe('committed');
        await store.audit.note(entry('c'));
        await store.audit.note(entry('b', { reason: 'other' }));
        const told = (await opened.records()).flatMap((record) =>
          record.type === 'entry-added' ? [record.entry] : [],
        );
        expect(told.toSorted((one, other) => (one.entryId < other.entryId ? -1 : 1))).toEqual([
          entry('a'),
          entry('b'),
          entry('c'),
        ]);
        const recorded = await store.audit.recorded();
        expect(recorded.flatMap((one) => Audit.entriesOf(one)).length).toBe(3);
      });

      test('behavior: entries wait, as many as are asked for, until they are forgotten', async () => {
        await store.audit.defer(entries);
        await store.audit.defer(entries.slice(0, 2));
        expect((await store.audit.deferred(100)).length).toBe(entries.length);
        expect((await store.audit.deferred(3)).length).toBe(3);
        await store.audit.undefer(TRICKY_IDS.slice(1));
        expect(await store.audit.deferred(100)).toEqual(entries.slice(0, 1));
        expect(await opened.records()).toEqual([]);
      });

      test('behavior: the newest signed head stays, and the highest copied link', async () => {
        await store.audit.putSeal(seal(2));
        await store.audit.putSeal({ ...seal(2), jws: 'later' });
        await store.audit.putSeal(seal(1));
        expect(await store.audit.seal()).toEqual(seal(2));
        await store.audit.putSeal(seal(3));
        expect(await store.audit.seal()).toEqual(seal(3));
        await store.audit.markCopied(5);
        await store.audit.markCopied(4);
        expect(await store.audit.copied()).toBe(5);
      });

      test('behavior: H87 what is recorded tells again what the stream has told', async () => {
        await store.decisions.commit(
          changes({
            incidents: [{ incident: incident('INC'), expected: 'absent' }],
            causes: [{ incidentId: 'INC', number: 2, cause: cause({ rowId: 'other' }) }],
            alerts: [{ ...alert('r'), kind: 'refused' }, alert('w')],
            policy: policy(1, 'p'),
            entries: [entry('e')],
          }),
        );
        await store.decisions.commit(changes({ incidents: [write('INC', 'open')] }));
        const of = (told: readonly ControlRecord[]) =>
          told.flatMap((record) => Audit.entriesOf(record)).toSorted(byId);
        expect(of(await store.audit.recorded())).toEqual(of(await opened.records()));
        expect(of(await opened.records()).length).toBe(6);
      });
    });

    describe('projections', () => {
      test('default: nothing paged, no mirror', async () => {
        expect(await store.projections.isPaged('p')).toBe(false);
        expect(await store.projections.flag()).toBeUndefined();
      });

      test('behavior: a page is marked once for all, and only it', async () => {
        for (const id of TRICKY_IDS.slice(1)) await store.projections.markPaged(id, 1);
        await store.projections.markPaged(TRICKY_IDS[1] ?? '', 2);
        expect(await store.projections.isPaged(TRICKY_IDS[0] ?? '')).toBe(false);
        for (const id of TRICKY_IDS.slice(1))
          expect(await store.projections.isPaged(id)).toBe(true);
      });

      test('behavior: the mirror is what was put last', async () => {
        const mirror = { atMs: 2, open: [{ scope: 'global', incidentId: 'INC', sinceMs: 1 }] };
        await store.projections.putFlag({ atMs: 1, open: [] });
        await store.projections.putFlag(mirror);
        expect(await store.projections.flag()).toEqual(mirror);
        await store.projections.putFlag({ ...mirror, truncated: true });
        expect(await store.projections.flag()).toEqual({ ...mirror, truncated: true });
      });
    });
  });
}

function byId(one: Audit.Entry, other: Audit.Entry): number {
  return one.entryId < other.entryId ? -1 : 1;
}

function write(incidentId: string, expected: 'absent' | 'open'): Ledger.IncidentWrite {
  const value =
    expected === 'absent'
      ? incident(incidentId)
      : incident(incidentId, { state: 'closed', closed });
  return { incident: value, expected };
}

function policy(version: number, source: string): Ledger.StoredPolicy {
  const compiled = `compiled ${version}`;
  const by = { appliedAtMs: Build.T0_MS, actor: 'ann' };
  return { version, hash: Build.hash(source), source, compiled, ...by };
}
