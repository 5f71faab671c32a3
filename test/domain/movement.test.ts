import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Movement from '../../lib/domain/movement.ts';
import * as Build from '../support/builders.ts';

const { DAY_MS, HOUR_MS, T0_MS, usd } = Build;

function declaration(overrides: Partial<Movement.Declaration> = {}): Movement.Declaration {
  return {
    commandId: 'movement-1',
    transfer: Build.transfer({ actor: undefined, amount: usd(10) }),
    untilMs: T0_MS + HOUR_MS,
    reason: 'gas for the consolidation',
    ...overrides,
  };
}

function decide(given: Movement.Declaration, stored: readonly Ledger.Row[] = []) {
  const bodyHash = Build.hash(Movement.canonicalBody(given));
  return Movement.decide(Build.context(), Build.loaded({ rows: stored }), {
    declaration: given,
    actor: 'ann',
    bodyHash,
  });
}

/** The rows that a declaration leaves behind. */
function rowsOf({ changes }: ReturnType<typeof decide>): readonly Ledger.Row[] {
  return changes?.rows.map(({ row }) => row) ?? [];
}

function movementsIn(rows: readonly Ledger.Row[]): readonly Approval.Movement[] {
  return rows.flatMap((row) => row.ends?.movements ?? []);
}

describe('rowIds', () => {
  test('default', () => {
    expect(Movement.rowIds(declaration())).toEqual([
      'command:movement-1',
      `match:${Build.HOT_1}|${Build.USDC}|${Build.CUSTOMER}`,
    ]);
  });
});

describe('decide', () => {
  test('default', () => {
    const decided = decide(declaration());
    expect(decided.result).toEqual({
      kind: 'declared',
      movementId: 'movement-1',
      untilMs: T0_MS + HOUR_MS,
    });
    const rows = rowsOf(decided);
    expect(movementsIn(rows)).toEqual([
      { movementId: 'movement-1', left: usd(10), untilMs: T0_MS + HOUR_MS },
    ]);
    expect(rows.find(({ rowId }) => rowId === 'command:movement-1')?.note).toBe(
      'movement declared by ann until 2023-09-12T14:21:00.000Z: gas for the consolidation',
    );
  });

  test('behavior: H14: the same again changes nothing', () => {
    const rows = rowsOf(decide(declaration()));
    expect(decide(declaration(), rows)).toEqual({ result: { kind: 'duplicate' } });
  });

  test.each<[string, Partial<Movement.Declaration>]>([
    ['another maximum', { transfer: Build.transfer({ amount: usd(11) }) }],
    ['another end', { untilMs: T0_MS + 2 * HOUR_MS }],
    ['another reason', { reason: 'something else' }],
    ['another way', { transfer: Build.transfer({ amount: usd(10), account: Build.HOT_2 }) }],
  ])('error: one id with %s', (_name, other) => {
    const rows = rowsOf(decide(declaration()));
    expect(decide(declaration(other), rows)).toEqual({
      result: { kind: 'refused', why: 'commandId movement-1 was used for another command' },
    });
  });

  test.each([
    ['its end is past', T0_MS - 1],
    ['its end is past', T0_MS],
    [undefined, T0_MS + 1],
    [undefined, T0_MS + 7 * DAY_MS],
    ['it ends more than 7 days ahead', T0_MS + 7 * DAY_MS + 1],
    ['it ends more than 7 days ahead', Date.UTC(9999, 0)],
  ])('args: %s: until %d', (why, untilMs) => {
    const { result, changes } = decide(declaration({ untilMs }));
    expect(result).toMatchObject(why === undefined ? { kind: 'declared' } : { why });
    expect(changes === undefined).toBe(why !== undefined);
  });

  test('error: a wallet that the policy does not know', () => {
    const transfer = Build.transfer({ account: Build.STRANGER });
    expect(decide(declaration({ transfer })).result).toEqual({
      kind: 'refused',
      why: `${Build.STRANGER} is no wallet of the policy`,
    });
  });

  test('behavior: two for one way stand beside each other, and what is over is forgotten', () => {
    const [first, later, last] = [
      declaration(),
      declaration({ commandId: 'movement-2', untilMs: T0_MS + 2 * HOUR_MS }),
      declaration({ commandId: 'movement-3', untilMs: T0_MS + 3 * HOUR_MS }),
    ];
    const both = rowsOf(decide(later, rowsOf(decide(first))));
    expect(movementsIn(both).map(({ movementId }) => movementId)).toEqual([
      'movement-1',
      'movement-2',
    ]);
    const decided = Movement.decide(
      Build.context({ nowMs: T0_MS + HOUR_MS }),
      Build.loaded({ rows: both }),
      { declaration: last, actor: 'ann', bodyHash: 'h' },
    );
    expect(movementsIn(rowsOf(decided)).map(({ movementId }) => movementId)).toEqual([
      'movement-2',
      'movement-3',
    ]);
  });

  test('error: at most 20 that are alive on one way', () => {
    let rows: readonly Ledger.Row[] = [];
    for (let number = 1; number <= 20; number += 1) {
      const decided = decide(declaration({ commandId: `movement-${number}` }), rows);
      expect(decided.result.kind).toBe('declared');
      rows = rowsOf(decided).filter(({ ends }) => ends !== undefined);
    }
    expect(decide(declaration({ commandId: 'movement-21' }), rows).result).toEqual({
      kind: 'refused',
      why: '20 movements are declared for this way already',
    });
  });

  test('behavior: H25: a memo that is made to look like another way is its own way', () => {
    const chain = 'bip122:000000000019d6689c085ae165831e93' as const;
    const way = (destination: string, memo?: string) =>
      Approval.endsId({
        account: `${chain}:a`,
        asset: `${chain}/slip44:0`,
        destination: `${chain}:${destination}`,
        amount: 0n,
        ...(memo === undefined ? {} : { memo }),
      });
    const ids = [way('b'), way('b', ''), way('b', '|'), way('b', 'c|d'), way('b', 'c')];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('canonicalBody', () => {
  test('behavior: everything but the id is in it', () => {
    const memo = (text?: string) =>
      declaration({ transfer: { ...declaration().transfer, memo: text } });
    const bodies = [
      declaration(),
      declaration({ reason: 'x' }),
      declaration({ untilMs: T0_MS }),
      declaration({ transfer: Build.transfer({ amount: usd(11) }) }),
      memo('null'),
      memo(''),
      memo('","x'),
    ].map(Movement.canonicalBody);
    expect(new Set(bodies).size).toBe(bodies.length);
    expect(Movement.canonicalBody(declaration({ commandId: 'other' }))).toBe(bodies[0]);
  });
});
