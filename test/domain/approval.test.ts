import { describe, expect, test } from 'vitest';
import { toRow } from '../../lib/adapters/dynamodb/row-codec.ts';
import * as Approval from '../../lib/domain/approval.ts';
import * as Draft from '../../lib/domain/draft.ts';
import {
  CHAIN,
  context,
  ETH,
  HOT_2,
  loaded,
  policy,
  STRANGER,
  T0_MS,
  transfer,
  usd,
} from '../support/builders.ts';

const ONE = usd(1);
const way = transfer();
const start = () => Draft.start(context(), loaded());
const approval = (rowId: string, more: Partial<Approval.Approval> = {}): Approval.Approval => ({
  rowIds: [rowId],
  amount: ONE,
  ...more,
});
const seen = (rowId: string, more: Partial<Approval.Seen> = {}): Approval.Seen => ({
  rowId,
  amount: ONE,
  transaction: rowId,
  ...more,
});
const sight = (more: Partial<Approval.Sight> = {}): Approval.Sight => ({
  amount: ONE,
  transaction: '0xa',
  deductedMax: 0n,
  ...more,
});
const idsOf = (some: readonly Approval.Approval[]) => some.map(({ rowIds }) => rowIds[0]);

describe('endsId', () => {
  test('behavior: H25: what differs in anything but actor, amount and fee has another id', () => {
    const others = [
      { account: HOT_2 },
      { asset: ETH },
      { destination: STRANGER },
      { memo: '' },
      { memo: '1' },
      { memo: '11' },
      { memo: '|1' },
      { memo: `1|${ETH}` },
    ];
    const ids = [way, ...others.map((other) => transfer(other))].map(Approval.endsId);
    expect(new Set(ids).size).toBe(ids.length);
    const same = transfer({ actor: 'x', amount: 2n, fee: { asset: ETH, amount: 1n } });
    expect(Approval.endsId(same)).toBe(Approval.endsId(way));
  });
});

describe('candidates', () => {
  test('behavior: exact before short, named before oldest, and beyond only where it is named', () => {
    const all = [
      approval('beyond', { amount: ONE - 1n }),
      approval('beyond-named', { amount: ONE - 1n, transaction: '0xa' }),
      approval('short', { amount: ONE + 1n }),
      approval('short-named', { amount: ONE + 1n, nonce: 5 }),
      approval('elsewhere', { transaction: '0xother' }),
      approval('exact'),
      approval('numbered', { nonce: 5 }),
      approval('hinted', { transaction: '0xa' }),
      approval('far', { amount: ONE + 3n }),
    ];
    const found = Approval.candidates(all, sight({ nonce: 5, deductedMax: 2n }));
    expect(idsOf(found)).toEqual([
      'hinted',
      'numbered',
      'exact',
      'elsewhere',
      'short-named',
      'short',
      'beyond-named',
    ]);
  });

  test('behavior: H63: one that was said to use another nonce is none', () => {
    const all = [approval('a', { nonce: 4 }), approval('b', { nonce: 4, transaction: '0xa' })];
    expect(Approval.candidates(all, sight({ nonce: 5 }))).toEqual([]);
    expect(idsOf(Approval.candidates(all, sight()))).toEqual(['b', 'a']);
  });

  test('behavior: a fee that was deducted: just within, just beyond', () => {
    const all = [approval('a')];
    const short = (by: bigint) =>
      Approval.candidates(all, sight({ amount: ONE - by, deductedMax: 9n }));
    expect([short(9n).length, short(10n).length]).toEqual([1, 0]);
  });

  test('behavior: H72: an outflow of zero is nobody’s withdrawal less a fee, but may be one of zero', () => {
    const zero = sight({ amount: 0n, deductedMax: usd(9) });
    expect(Approval.candidates([approval('a')], zero)).toEqual([]);
    expect(idsOf(Approval.candidates([approval('b', { amount: 0n })], zero))).toEqual(['b']);
  });
});

describe('find', () => {
  test('behavior: nothing, all of it, and what goes beyond', () => {
    expect(Approval.find([], sight())).toBeUndefined();
    expect(Approval.find([approval('a')], sight())?.excess).toBe(0n);
    const named = [approval('a', { transaction: '0xa' })];
    expect(Approval.find(named, sight({ amount: ONE + 4n }))?.excess).toBe(4n);
    expect(Approval.find(named, sight({ amount: ONE - 4n, deductedMax: 4n }))?.excess).toBe(0n);
  });
});

describe('findSeen', () => {
  test('behavior: of the same amount; that of the hash, else the oldest; none with another nonce', () => {
    const all = [seen('0xa', { nonce: 1 }), seen('0xb'), seen('0xc', { amount: 2n })];
    const find = (more: Partial<Approval.Approval>) =>
      Approval.findSeen(all, approval('w', more))?.rowId;
    expect(find({})).toBe('0xa');
    expect(find({ transaction: '0xb' })).toBe('0xb');
    expect(find({ transaction: '0xc' })).toBe('0xa');
    expect(find({ nonce: 2 })).toBe('0xb');
    expect(find({ nonce: 2, transaction: '0xa' })).toBe('0xb');
    expect(find({ amount: 3n })).toBeUndefined();
  });
});

describe('expect', () => {
  test('behavior: oldest first; again it is brought up to date in its place, or nothing is written', () => {
    const draft = start();
    for (const id of ['a', 'b']) Approval.expect(draft, way, approval(id));
    const before = Draft.row(draft, Approval.endsId(way));
    Approval.expect(draft, way, approval('a'));
    expect(Draft.row(draft, Approval.endsId(way))).toBe(before);
    Approval.expect(draft, way, approval('a', { nonce: 3 }));
    expect(Approval.at(draft, way).approvals).toEqual([approval('a', { nonce: 3 }), approval('b')]);
  });

  test('behavior: of too many the oldest is forgotten, and all that are kept fit one item', () => {
    const watch = { confirmations: 0, blindAfterMs: 1 };
    const rules = policy({ chains: [{ pattern: CHAIN, name: 'Ethereum', watch }] });
    const draft = Draft.start(context({ policy: rules }), loaded());
    for (let n = 0; n < 501; n += 1) {
      const id = `${n}`.padEnd(256, 'x');
      const named = { transaction: id, nonce: n, amount: 2n ** 256n - 1n };
      Approval.expect(draft, way, approval(`withdrawal:${id}`, named));
    }
    for (let n = 0; n < 60; n += 1) {
      const rowId = `outflow:eip155:1:${n}`.padEnd(300, 'x');
      Approval.note(draft, way, seen(rowId, { nonce: n, amount: 2n ** 256n - 1n }));
    }
    const { approvals, seen: kept } = Approval.at(draft, way);
    expect([approvals.length, kept.length]).toEqual([500, 50]);
    expect(approvals[0]?.nonce).toBe(1);
    expect(kept[0]?.nonce).toBe(10);
    const row = Draft.row(draft, Approval.endsId(way))!;
    expect(JSON.stringify(toRow(row)).length).toBeLessThan(400_000);
  });
});

describe('expect: where nobody looks', () => {
  test('behavior: few are kept, since nothing is ever matched there', () => {
    const draft = start();
    for (let n = 0; n < 26; n += 1) Approval.expect(draft, way, approval(`${n}`));
    const { approvals } = Approval.at(draft, way);
    expect([approvals.length, approvals[0]?.rowIds]).toEqual([25, ['1']]);
  });
});

describe('consume', () => {
  test('behavior: once, and what waits beside it stays', () => {
    const draft = start();
    Approval.expect(draft, way, approval('a'));
    Approval.expect(draft, way, { rowIds: ['b', 'c'], amount: ONE });
    Approval.consume(draft, way, 'a');
    expect(idsOf(Approval.at(draft, way).approvals)).toEqual(['b']);
    const before = Draft.row(draft, Approval.endsId(way));
    Approval.consume(draft, way, 'a');
    expect(Draft.row(draft, Approval.endsId(way))).toBe(before);
    Approval.consume(draft, way, 'c');
    expect(Approval.at(draft, way)).toEqual(Approval.NOTHING);
  });

  test('behavior: between ends where nothing waits nothing is written', () => {
    const draft = start();
    Approval.consume(draft, way, 'a');
    Approval.forget(draft, way, 'a');
    Approval.restore(draft, way, 'm');
    expect(draft.rows.size).toBe(0);
  });
});

describe('withdraw', () => {
  test('behavior: all that was named together is taken away together; of what nobody named nothing is written', () => {
    const draft = start();
    Approval.expect(draft, way, approval('a'));
    Approval.expect(draft, way, { rowIds: ['b', 'c'], amount: ONE });
    const waysId = Approval.endsId(way);
    expect(Approval.withdraw(draft, waysId, 'c')).toEqual(['b', 'c']);
    expect(idsOf(Approval.at(draft, way).approvals)).toEqual(['a']);
    const before = Draft.row(draft, waysId);
    expect(Approval.withdraw(draft, waysId, 'c')).toEqual([]);
    expect(Approval.withdraw(draft, 'match:unknown', 'c')).toEqual([]);
    expect([Draft.row(draft, waysId), draft.rows.size]).toEqual([before, 1]);
  });
});

describe('keep', () => {
  test('behavior: kept again it is one; forgotten it is none; the ten newest stay', () => {
    const draft = start();
    const kept = () => Approval.at(draft, way).met?.map(({ rowId }) => rowId);
    for (const rowId of ['a', 'b', 'a']) Approval.keep(draft, way, { rowId, nonce: 1 });
    expect(kept()).toEqual(['b', 'a']);
    Approval.forget(draft, way, 'b');
    expect(kept()).toEqual(['a']);
    Approval.forget(draft, way, 'a');
    expect(Approval.at(draft, way)).toEqual(Approval.NOTHING);
    for (let nonce = 0; nonce < 11; nonce += 1) {
      Approval.keep(draft, way, { rowId: `${nonce}`, nonce });
    }
    expect([kept()?.length, kept()?.[0]]).toEqual([10, '1']);
  });
});

describe('note', () => {
  test('behavior: noted again it is one; forgotten it is none', () => {
    const draft = start();
    Approval.note(draft, way, seen('a'));
    Approval.note(draft, way, seen('b'));
    Approval.note(draft, way, seen('a', { nonce: 1 }));
    expect(Approval.at(draft, way).seen).toEqual([seen('b'), seen('a', { nonce: 1 })]);
    Approval.forget(draft, way, 'b');
    expect(Approval.at(draft, way).seen).toHaveLength(1);
  });
});

describe('movementFor', () => {
  test('behavior: H64: alive and with room, the first that has', () => {
    const movements = [
      { movementId: 'over', left: ONE, untilMs: T0_MS },
      { movementId: 'small', left: ONE - 1n, untilMs: T0_MS + 1 },
      { movementId: 'fits', left: ONE, untilMs: T0_MS + 1 },
    ];
    const ends = { ...Approval.NOTHING, movements };
    expect(Approval.movementFor(ends, ONE, T0_MS)?.movementId).toBe('fits');
    expect(Approval.movementFor(ends, ONE + 1n, T0_MS)).toBeUndefined();
    expect(Approval.movementFor(Approval.NOTHING, 0n, T0_MS)).toBeUndefined();
  });
});

describe('declare', () => {
  test('behavior: H64: replaces its own, forgets what is over, leaves the rest', () => {
    const draft = start();
    const movement = (movementId: string, untilMs = T0_MS + 1) => ({
      movementId,
      left: ONE,
      untilMs,
    });
    for (const one of [movement('a'), movement('over', T0_MS), movement('b')]) {
      Approval.declare(draft, way, one);
    }
    Approval.declare(draft, way, { ...movement('a'), left: 0n });
    expect(Approval.at(draft, way).movements).toEqual([
      movement('b'),
      { ...movement('a'), left: 0n },
    ]);
  });
});

describe('restore', () => {
  test('behavior: gives a movement back what was used of it; one that is forgotten stays so', () => {
    const draft = start();
    Approval.declare(draft, way, { movementId: 'a', left: 0n, untilMs: T0_MS + 1 });
    Approval.restore(draft, way, 'a');
    Approval.restore(draft, way, 'gone');
    expect(Approval.at(draft, way).movements).toMatchObject([{ movementId: 'a', left: ONE }]);
  });
});
