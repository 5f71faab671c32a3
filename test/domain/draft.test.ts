import { describe, expect, test } from 'vitest';
import * as Breaker from '../../lib/domain/breaker.ts';
import * as Draft from '../../lib/domain/draft.ts';
import * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import {
  charge,
  context,
  HOUR_MS,
  item,
  loaded,
  subject,
  T0_MS,
  transfer,
  USDC,
} from '../support/builders.ts';

const cause: Breaker.Cause = {
  kind: 'limit',
  atMs: T0_MS,
  rowId: 'withdrawal:w1',
  text: 'a',
  notional: 5n,
};
const note = { rowId: 'r', state: 'noted', bodyHash: '', atMs: T0_MS } as const;
const stored: Ledger.Row = { ...note, version: 4, decisionId: 'old', policyVersion: 1 };
const open: Breaker.Breaker = {
  state: 'open',
  epoch: 1,
  incidentId: 'INC0',
  openedAtMs: 1,
  causes: 1,
};

describe('start', () => {
  test('behavior: H13: never runs behind what it loaded', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ count: 1 }), T0_MS + HOUR_MS);
    const items = { a: item(), b: item({ meter }) };
    expect(Draft.start(context(), loaded({ items })).atMs).toBe(T0_MS + HOUR_MS);
    expect(Draft.start(context({ nowMs: T0_MS + 2 * HOUR_MS }), loaded({ items })).atMs).toBe(
      T0_MS + 2 * HOUR_MS,
    );
    expect(Draft.start(context(), loaded()).atMs).toBe(T0_MS);
  });
});

describe('row', () => {
  test('behavior: what was written in this decision before what was loaded', () => {
    const draft = Draft.start(context(), loaded({ rows: [stored] }));
    expect([Draft.row(draft, 'r'), Draft.row(draft, 's')]).toEqual([stored, undefined]);
    Draft.putRow(draft, { ...note, note: 'x' });
    expect(Draft.row(draft, 'r')?.note).toBe('x');
  });
});

describe('item', () => {
  test('behavior: H39: new where nothing is stored', () => {
    const draft = Draft.start(context(), loaded({ items: { 'wallet:a': item() } }));
    expect(Draft.item(draft, 'wallet:a')).toEqual(item());
    expect(Draft.item(draft, 'wallet:b')).toEqual(Ledger.newItem(T0_MS));
  });
});

describe('putRow', () => {
  test('behavior: names the policy that made its charge', () => {
    const money = { transfer: transfer(), subject: subject(), charged: [], chargedAtMs: T0_MS };
    const draft = Draft.start(
      context({ policyVersion: 3 }),
      loaded({ rows: [{ ...stored, money }] }),
    );
    Draft.putRow(draft, { ...note, state: 'matched', money });
    expect(Draft.row(draft, 'r')?.policyVersion).toBe(1);
    Draft.putRow(draft, {
      ...note,
      state: 'reserved',
      money: { ...money, chargedAtMs: T0_MS + 1 },
    });
    expect(Draft.row(draft, 'r')?.policyVersion).toBe(3);
  });

  test('behavior: the next version, once for a decision', () => {
    const draft = Draft.start(
      context({ decisionId: 'd9', policyVersion: 3 }),
      loaded({ rows: [stored] }),
    );
    Draft.putRow(draft, note);
    Draft.putRow(draft, { ...note, note: 'again' });
    Draft.putRow(draft, { ...note, rowId: 'new' });
    expect(
      Draft.changes(draft).rows.map(({ row, expected }) => [
        row.rowId,
        row.version,
        expected,
        row.decisionId,
      ]),
    ).toEqual([
      ['r', 5, 4, 'd9'],
      ['new', 1, 'absent', 'd9'],
    ]);
  });
});

describe('charge', () => {
  test('behavior: charges at the decision’s time and gives back what was there', () => {
    const meter = Meter.charge(Meter.EMPTY, charge({ notional: 1n }), T0_MS);
    const before = item({ meter });
    const draft = Draft.start(context(), loaded({ items: { 'wallet:hot-1': before } }));
    const leg = { asset: USDC, amount: 2n, notional: 3n, pricePicoUsd: 1n };
    const found = Draft.charge(draft, { subject: subject(), legs: [leg], withdrawals: 1 });
    expect(found.size).toBe(8);
    expect(found.get('wallet:hot-1')).toBe(before);
    expect(draft.loaded.items.get('wallet:hot-1')).toBe(before);
    const at = { metric: 'notional', windowMs: HOUR_MS, widenMs: 0, nowMs: T0_MS } as const;
    expect(Meter.outflow(Draft.item(draft, 'wallet:hot-1').meter, at)).toBe(4n);
  });
});

describe('giveBack', () => {
  const money = (chargedAtMs: number) => ({
    transfer: transfer(),
    subject: subject(),
    charged: [{ asset: USDC, amount: 5n, notional: 5n, pricePicoUsd: 1n }],
    chargedAtMs,
  });

  test('behavior: takes out what was charged, of the slots it was charged to and no others', () => {
    const draft = Draft.start(context(), loaded());
    const { charged: legs, subject: at } = money(T0_MS);
    Draft.charge(draft, { subject: at, legs, withdrawals: 1 });
    const before = new Map(draft.items);
    Draft.giveBack(draft, money(T0_MS - 30 * 24 * HOUR_MS));
    expect(draft.items).toEqual(before);
    Draft.giveBack(draft, money(T0_MS));
    for (const { meter } of draft.items.values()) {
      expect(meter.steps.flat().filter((slot) => slot.notional > 0n || slot.count > 0)).toEqual([]);
    }
  });

  test('args: a fee, which was no withdrawal', () => {
    const draft = Draft.start(context(), loaded());
    const { charged: legs, subject: at } = money(T0_MS);
    Draft.charge(draft, { subject: at, legs, withdrawals: 1 });
    Draft.giveBack(draft, money(T0_MS), 0);
    const slots = Draft.item(draft, 'global').meter.steps.flat();
    expect(new Set(slots.map(({ count, notional }) => `${count} ${notional}`))).toEqual(
      new Set(['1 0']),
    );
  });
});

describe('countOutstanding', () => {
  test('behavior: up and down on the actor, never below zero, gone at zero', () => {
    const draft = Draft.start(context(), loaded({ items: { 'actor:customer-1': item() } }));
    const open = () => Draft.item(draft, 'actor:customer-1');
    const counts = ([1, 1, -1, -1, -1, 1] as const).map((by) => {
      Draft.countOutstanding(draft, subject(), by);
      return open().outstanding;
    });
    expect(counts).toEqual([1, 2, 1, undefined, undefined, 1]);
    Draft.countOutstanding(draft, subject(), -1);
    expect(open()).toEqual(item());
    expect([...draft.items.keys()]).toEqual(['actor:customer-1']);
  });
});

const place = { limitId: 'wallet-hour', scope: 'wallet:a', need: 5n };
const held = { rowId: 'withdrawal:w1', heldAtMs: T0_MS, place };

describe('enqueue', () => {
  test('default: by age, and counted on the item of its scope', () => {
    const draft = Draft.start(context(), loaded());
    const older = { ...held, rowId: 'withdrawal:w0', heldAtMs: T0_MS - 1 };
    const twin = { ...held, rowId: 'withdrawal:w2' };
    for (const one of [twin, held, older]) Draft.enqueue(draft, one);
    expect(draft.queues.get('wallet-hour@wallet:a')).toEqual([older, held, twin]);
    expect(Draft.item(draft, 'wallet:a').waiting).toEqual([{ limitId: 'wallet-hour', count: 3 }]);
    const { held: writes = [] } = Draft.changes(draft);
    expect(writes).toEqual([twin, held, older].map((one) => ({ held: one, change: 'put' })));
  });

  test('behavior: limits are counted apart; who waits for a person is counted nowhere', () => {
    const draft = Draft.start(context(), loaded());
    const { place: _, ...person } = held;
    Draft.enqueue(draft, held);
    Draft.enqueue(draft, { ...held, place: { ...place, limitId: 'wallet-day' } });
    Draft.enqueue(draft, person);
    expect(Draft.item(draft, 'wallet:a').waiting).toEqual([
      { limitId: 'wallet-hour', count: 1 },
      { limitId: 'wallet-day', count: 1 },
    ]);
    expect(draft.queues.get('people')).toEqual([person]);
    expect(Draft.changes(draft).held).toHaveLength(3);
  });

  test('behavior: nobody waits, nothing of it is written', () => {
    expect(Draft.changes(Draft.start(context(), loaded())).held).toBeUndefined();
  });
});

describe('dequeue', () => {
  test('default: out of the queue and off the count, which leaves nothing behind', () => {
    const waiting = [{ limitId: 'wallet-hour', count: 1 }];
    const items = { 'wallet:a': item({ waiting }) };
    const queues = new Map([['wallet-hour@wallet:a', [held]]]);
    const draft = Draft.start(context(), { ...loaded({ items }), queues });
    Draft.dequeue(draft, held);
    expect(draft.queues.get('wallet-hour@wallet:a')).toEqual([]);
    expect(Draft.item(draft, 'wallet:a')).toEqual(item());
    expect(Draft.changes(draft).held).toEqual([{ held, change: 'delete' }]);
  });

  test('behavior: with another need it stays where it is, in one write', () => {
    const draft = Draft.start(context(), loaded());
    const more = { ...held, place: { ...place, need: 6n } };
    Draft.enqueue(draft, held);
    Draft.dequeue(draft, held);
    Draft.enqueue(draft, more);
    expect(Draft.changes(draft).held).toEqual([{ held: more, change: 'put' }]);
    expect(Draft.item(draft, 'wallet:a').waiting).toEqual([{ limitId: 'wallet-hour', count: 1 }]);
  });

  test('behavior: no count falls below zero', () => {
    const draft = Draft.start(context(), loaded());
    Draft.dequeue(draft, held);
    Draft.enqueue(draft, held);
    expect(Draft.item(draft, 'wallet:a').waiting).toEqual([{ limitId: 'wallet-hour', count: 1 }]);
  });
});

describe('trip', () => {
  const collectors = ['key-domain:vault-a', 'global'];
  const target = { own: 'wallet:hot-1', collectors };

  test('default', () => {
    const draft = Draft.start(context(), loaded());
    expect(Draft.trip(draft, target, cause)).toEqual({
      scope: 'wallet:hot-1',
      incidentId: 'INC1',
      opened: true,
    });
    expect(draft.incidents.map((incident) => incident.scope)).toEqual(['wallet:hot-1']);
  });

  test.each(['key-domain:vault-a', 'global'])(
    'behavior: H29: an open %s collects the cause',
    (key) => {
      const draft = Draft.start(context(), loaded({ items: { [key]: item({ breaker: open }) } }));
      expect(Draft.trip(draft, target, cause)).toEqual({
        scope: key,
        incidentId: 'INC0',
        opened: false,
      });
      expect(draft.causes).toEqual([{ incidentId: 'INC0', number: 2, cause }]);
      expect([...draft.items.keys()]).toEqual([key]);
    },
  );

  test('behavior: H29: its own incident comes before a wider one', () => {
    const items = {
      'wallet:hot-1': item({ breaker: open }),
      global: item({ breaker: { ...open, incidentId: 'INC9' } }),
    };
    const draft = Draft.start(context(), loaded({ items }));
    expect(Draft.trip(draft, target, cause).incidentId).toBe('INC0');
  });

  test.each(collectors)('behavior: H29: an open %s that may not collect does not', (key) => {
    const draft = Draft.start(context(), loaded({ items: { [key]: item({ breaker: open }) } }));
    expect(Draft.trip(draft, { own: 'wallet:hot-1', collectors: [] }, cause)).toMatchObject({
      scope: 'wallet:hot-1',
      opened: true,
    });
  });
});

describe('tripKey', () => {
  test('behavior: causes beyond those kept in full are counted', () => {
    const causes = Breaker.CAUSES_MAX - 1;
    const items = { global: item({ breaker: { ...open, causes } }) };
    const draft = Draft.start(context(), loaded({ items }));
    for (let i = 0; i < 3; i += 1) Draft.tripKey(draft, 'global', { ...cause, rowId: `r${i}` });
    expect(draft.causes.map((further) => further.number)).toEqual([Breaker.CAUSES_MAX]);
    expect(Draft.item(draft, 'global').breaker).toMatchObject({ causes: Breaker.CAUSES_MAX + 2 });
  });

  test('behavior: H29: opens once in a decision and keeps the first cause', () => {
    const draft = Draft.start(context(), loaded());
    Draft.tripKey(draft, 'wallet:a', cause);
    const again = Draft.tripKey(draft, 'wallet:a', { ...cause, text: 'b' });
    expect(again).toEqual({ scope: 'wallet:a', incidentId: 'INC1', opened: false });
    expect(draft.incidents.map((incident) => incident.first.text)).toEqual(['a']);
    expect(draft.causes).toEqual([
      { incidentId: 'INC1', number: 2, cause: { ...cause, text: 'b' } },
    ]);
  });
});

describe('alert', () => {
  const raised = { kind: 'warn', atMs: T0_MS, scope: 'global', rowId: 'r1', text: '' } as const;

  test('behavior: the same fact is told once', () => {
    const draft = Draft.start(context(), loaded());
    Draft.alert(draft, { ...raised, alertId: 'a', text: 'first' });
    Draft.alert(draft, { ...raised, alertId: 'a', text: 'second' });
    expect(Draft.changes(draft).alerts.map((told) => told.text)).toEqual(['first']);
  });

  test('behavior: one event fits one transaction however much it raises', () => {
    const draft = Draft.start(context(), loaded());
    for (let i = 0; i < 50; i += 1) Draft.alert(draft, { ...raised, alertId: `a${i}` });
    Draft.alert(draft, { ...raised, alertId: 'b', rowId: 'r2' });
    expect(draft.alerts.size).toBe(11);
    expect(draft.alerts.has('b')).toBe(true);
  });
});

describe('changes', () => {
  test('behavior: H44: nothing but the version of global', () => {
    const global = item({ policyVersion: 3 });
    const draft = Draft.start(context(), loaded({ items: { global } }));
    expect(Draft.changes(draft)).toEqual({
      decisionId: 'decision-1',
      atMs: T0_MS,
      rows: [],
      items: [{ key: 'global', item: { ...global, version: 8 }, expected: 7 }],
      incidents: [],
      causes: [],
      alerts: [],
    });
  });

  test('behavior: a new item starts at the clock, a stored one moves on', () => {
    const draft = Draft.start(context(), loaded({ items: { 'wallet:a': item() } }));
    Draft.tripKey(draft, 'wallet:a', cause);
    Draft.tripKey(draft, 'wallet:b', cause);
    const written = Draft.changes(draft).items.map(({ key, item: next, expected }) => [
      key,
      next.version,
      expected,
    ]);
    expect(written).toEqual([
      ['wallet:a', 8, 7],
      ['wallet:b', T0_MS, 'absent'],
      ['global', T0_MS, 'absent'],
    ]);
  });
});

describe('bases and steps', () => {
  const KEY = 'wallet:hot-1';
  const legs = [{ asset: USDC, amount: 5n, notional: 5n }];
  const money = { subject: subject(), legs } as unknown as Parameters<typeof Draft.charge>[1];
  const base = (atMs: number) => ({
    limitIds: ['wallet-hour'],
    mark: Meter.mark(Meter.EMPTY, atMs),
  });
  const steps = [{ shareBps: 1, forMs: HOUR_MS }];
  const halfOpen = (mark: Meter.Mark): Breaker.HalfOpen => ({
    ...open,
    state: 'half-open',
    steps,
    step: 0,
    stepSinceMs: T0_MS,
    mark,
    budget: 1n,
  });
  const [old, young] = [base(T0_MS - Meter.SILENCE_MS - 1), base(T0_MS - Meter.SILENCE_MS)];
  const basesAfter = (bases: Ledger.Item['bases']) => {
    const draft = Draft.start(
      context(),
      loaded({ items: { [KEY]: item({ ...(bases && { bases }) }) } }),
    );
    Draft.charge(draft, money);
    return Draft.item(draft, KEY).bases;
  };

  test('behavior: H78: a base is forgotten once it lies before every window, not a ms sooner', () => {
    expect(basesAfter([young])).toEqual([young]);
    expect(basesAfter([old, young])).toEqual([young]);
    expect(basesAfter([old])).toBeUndefined();
    expect(basesAfter(undefined)).toBeUndefined();
  });

  test('behavior: H19: giving back lowers what marks of bases and steps hold of it', () => {
    const charged = Draft.start(context(), loaded());
    Draft.charge(charged, money);
    const { meter } = Draft.item(charged, KEY);
    const mark = Meter.mark(meter, T0_MS);
    const here = item({ meter, breaker: halfOpen(mark), bases: [{ limitIds: ['a'], mark }] });
    const draft = Draft.start(context(), loaded({ items: { [KEY]: here } }));
    const given = { transfer: transfer(), subject: subject(), charged: legs, chargedAtMs: T0_MS };
    Draft.giveBack(draft, given as unknown as Ledger.Money);
    const { breaker, bases } = Draft.item(draft, KEY);
    const held = (one: Meter.Mark | undefined) => one?.held.map(({ notional }) => notional);
    const none = Meter.LADDER.map(() => 0n);
    expect(held(mark)).toEqual(Meter.LADDER.map(() => 5n));
    expect(held((breaker as Breaker.HalfOpen).mark)).toEqual(none);
    expect(held(bases?.[0]?.mark)).toEqual(none);
    expect(breaker.state).toBe('half-open');
  });

  test('behavior: H78: what opens a resuming breaker again is kept as a cause with its epoch', () => {
    const here = item({ breaker: halfOpen(Meter.mark(Meter.EMPTY, T0_MS)) });
    const draft = Draft.start(context(), loaded({ items: { [KEY]: here } }));
    expect(Draft.tripKey(draft, KEY, cause)).toEqual({
      scope: KEY,
      incidentId: 'INC0',
      opened: true,
    });
    expect(draft.causes).toEqual([
      { incidentId: 'INC0', number: 2, cause: { ...cause, reopened: 2 } },
    ]);
    expect(draft.incidents).toEqual([]);
  });

  test('behavior: H62: the first theft is kept however many causes came before it', () => {
    const many = { ...open, causes: Breaker.CAUSES_MAX + 5 };
    const draft = Draft.start(context(), loaded({ items: { [KEY]: item({ breaker: many }) } }));
    expect(Draft.tripKey(draft, KEY, cause).opened).toBe(false);
    expect(draft.causes).toEqual([]);
    const theft = { ...cause, kind: 'unmatched' as const };
    Draft.tripKey(draft, KEY, theft);
    Draft.tripKey(draft, KEY, theft);
    expect(draft.causes).toEqual([
      { incidentId: 'INC0', number: Breaker.CAUSES_MAX + 7, cause: theft },
    ]);
  });
});

describe('tripBeside', () => {
  test('behavior: only an incident that it opens names the one that it stands beside', () => {
    const draft = Draft.start(
      context(),
      loaded({ items: { 'wallet:b': item({ breaker: open }) } }),
    );
    const by = { incidentId: 'INC9', cause };
    const trip = Draft.tripBeside(draft, 'wallet:a', by);
    expect(draft.incidents).toMatchObject([
      { incidentId: trip.incidentId, scope: 'wallet:a', quarantinedBy: 'INC9' },
    ]);
    expect(Draft.tripBeside(draft, 'wallet:b', by)).toMatchObject({ incidentId: 'INC0' });
    expect(draft.incidents).toHaveLength(1);
    const alone = Draft.start(
      context(),
      loaded({ items: { 'wallet:b': item({ breaker: open }) } }),
    );
    expect(Draft.tripBeside(alone, 'wallet:b', by).opened).toBe(false);
    expect(alone.incidents).toEqual([]);
  });
});
