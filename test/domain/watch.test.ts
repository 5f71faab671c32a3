import { describe, expect, test } from 'vitest';
import type * as Block from '../../lib/domain/block.ts';
import * as Cursor from '../../lib/domain/cursor.ts';
import * as Sighting from '../../lib/domain/sighting.ts';
import * as Watch from '../../lib/domain/watch.ts';
import {
  CHAIN,
  CUSTOMER,
  ETH,
  HOT_1,
  HOT_2,
  hash,
  policy,
  SECOND_MS,
  STRANGER,
  T0_MS,
  UNLISTED,
} from '../support/builders.ts';

const header = (number: number, fork = ''): Block.Header => ({
  number,
  hash: `0x${hash(`${number}${fork}`)}`,
  parentHash: `0x${hash(`${number - 1}${fork}`)}`,
  timestampMs: T0_MS + number * SECOND_MS,
});

/** A block in which `hot-1` sends `values` to a customer, a transaction each. */
const block = (number: number, values: readonly bigint[] = [], fork = ''): Block.Block => ({
  header: header(number, fork),
  unexplained: [],
  transactions: values.map((value, index) => ({
    hash: `0x${hash(`tx-${number}-${index}`)}`,
    index,
    from: HOT_1,
    nonce: index,
    to: CUSTOMER,
    native: ETH,
    value,
    type: '0x2',
    isReverted: false,
    fee: 1n,
    delegations: [],
    events: [],
    internal: [],
    calls: [],
  })),
});

const known = (state: Watch.State, parts: Partial<Watch.Known> = {}): Watch.Known => ({
  policy: policy(),
  state,
  hash,
  nowMs: T0_MS + 100 * SECOND_MS,
  hasFirstSight: false,
  ...parts,
});

/** Reads blocks without confirmations. */
const readAll = (state: Watch.State, blocks: readonly Block.Block[]) => {
  const headers = blocks.map((one) => one.header);
  const advance = Cursor.advance(state.cursor, headers, { nowMs: T0_MS, confirmations: 0 });
  if (advance.kind === 'fork') throw new Error('fork');
  return Watch.read(known(state), { cursor: advance.cursor, fresh: blocks, confirmed: blocks });
};

const start = Watch.start(CHAIN, T0_MS);

describe('start', () => {
  test('default: its sequence begins at the clock, so that lost state is not older than what it told', () => {
    expect(start).toMatchObject({ version: 0, sequence: T0_MS, told: [], begun: [] });
  });
});

describe('restart', () => {
  test('default: it keeps version, sequence and grants, and forgets why it stopped', () => {
    const state = { ...start, version: 7, sequence: T0_MS + 9, grants: ['g'], stopped: 'deep' };
    const again = Watch.restart(state, T0_MS);
    expect(again).toEqual({ ...start, version: 7, sequence: T0_MS + 10, grants: ['g'] });
  });
});

describe('read', () => {
  test('default: outflows with nonce, sequence and lag; what was told is remembered by block', () => {
    const step = readAll(start, [block(1, [5n]), block(2)]);
    expect(step.incoming).toEqual([
      {
        kind: 'transfer',
        bodyHash: expect.any(String),
        // The block was a second old when the newest one was 98 s old.
        lagMs: 99 * SECOND_MS,
        event: {
          kind: 'outflow',
          transaction: block(1, [5n]).transactions[0]?.hash,
          place: 'top',
          nonce: 0,
          sequence: T0_MS + 1,
          transfer: {
            account: HOT_1,
            asset: ETH,
            destination: CUSTOMER,
            amount: 5n,
            fee: { asset: ETH, amount: 1n },
          },
        },
      },
    ]);
    const rowId = `outflow:eip155:1:${block(1, [5n]).transactions[0]?.hash}:top`;
    expect(step.begun).toEqual([{ rowId, number: 1 }]);
    expect(step.next.told).toEqual([{ block: header(1).hash, rowIds: [rowId] }]);
    expect(step.next).toMatchObject({ sequence: T0_MS + 1, beganAt: 1, begun: [] });
  });

  test('behavior: H72 what moved nothing and cost nothing is left out', () => {
    const [transaction] = block(1, [0n]).transactions;
    const empty = { ...transaction!, from: STRANGER, fee: 0n };
    expect(readAll(start, [{ ...block(1), transactions: [empty] }]).incoming).toEqual([]);
  });

  test('behavior: H73 with confirmations the fresh ones are sighted and the deep ones counted', () => {
    const [one, two, three] = [block(1, [5n]), block(2, [6n]), block(3, [7n])];
    const step = Watch.read(known(start, { hasFirstSight: true }), {
      cursor: start.cursor,
      fresh: [three],
      confirmed: [one, two],
    });
    expect(step.incoming.map(({ kind }) => kind)).toEqual(['sighted', 'transfer', 'transfer']);
    expect(step.incoming.slice(1)).toMatchObject([{ wasSighted: true }, { wasSighted: true }]);
    expect(step.begun.map(({ number }) => number)).toEqual([1, 2]);
  });

  test('behavior: an outflow of a step that broke off and is not there any more is taken back', () => {
    const begun = [
      { rowId: 'gone', number: 1 },
      { rowId: 'ahead', number: 9 },
    ];
    const step = readAll({ ...start, begun }, [block(1), block(2)]);
    expect(step.incoming).toEqual([
      { kind: 'removed', removed: { rowId: 'gone', sequence: T0_MS + 1 } },
    ]);
    expect(step.next.begun).toEqual([{ rowId: 'ahead', number: 9 }]);
  });

  test('behavior: an outflow of a step that broke off and is still there is told again, not taken back', () => {
    const first = readAll(start, [block(1, [5n])]);
    const again = readAll(Watch.begin(start, first), [block(1, [5n])]);
    expect(again.incoming.map(({ kind }) => kind)).toEqual(['transfer']);
    expect(again.next.begun).toEqual([]);
  });

  test('behavior: one at the height of the newest block is taken back, one above it waits', () => {
    const begun = [
      { rowId: 'gone', number: 2 },
      { rowId: 'ahead', number: 3 },
    ];
    const step = readAll({ ...start, begun }, [block(1), block(2)]);
    expect(step.incoming).toMatchObject([{ removed: { rowId: 'gone' } }]);
    expect(step.next.begun).toEqual([{ rowId: 'ahead', number: 3 }]);
  });

  test('behavior: H73 with nothing deep enough yet nothing is counted, and nothing taken back', () => {
    const begun = [{ rowId: 'ahead', number: 1 }];
    const step = Watch.read(known({ ...start, begun }), {
      cursor: start.cursor,
      fresh: [block(1, [5n])],
      confirmed: [],
    });
    expect(step.incoming.map(({ kind }) => kind)).toEqual(['sighted']);
    expect(step).toMatchObject({ begun: [], next: { begun, told: [], beganAt: 1 } });
    const nothing = Watch.read(known(start), { cursor: start.cursor, fresh: [], confirmed: [] });
    expect(nothing.next).not.toHaveProperty('beganAt');
  });

  test('behavior: the lag of a block counts from the last one that became deep enough', () => {
    const blocks = [block(1, [5n]), block(2, [6n])];
    const cursor = { ...start.cursor, timestampMs: T0_MS + 90 * SECOND_MS };
    const step = Watch.read(known(start), { cursor, fresh: [], confirmed: blocks });
    expect(step.incoming.map((one) => one.kind === 'transfer' && one.lagMs)).toEqual([
      11 * SECOND_MS,
      10 * SECOND_MS,
    ]);
  });

  test('behavior: told blocks stay in the order in which they were told', () => {
    const { next } = readAll(start, [block(1, [5n]), block(2), block(3, [6n])]);
    expect(next.told.map((one) => one.block)).toEqual([header(1).hash, header(3).hash]);
  });

  test('args: exactly as many outflows as are remembered', () => {
    const thousand = Array.from({ length: 1_000 }, () => 1n);
    const { next } = readAll(start, [block(1, thousand), block(2, thousand)]);
    expect(next.told).toHaveLength(2);
  });

  test('args: of more allowances than are remembered the oldest are forgotten', () => {
    const grants = Array.from({ length: 1_001 }, (_, at) => `grant-${at}`);
    const { next } = readAll({ ...start, grants }, [block(1)]);
    expect(next.grants).toEqual(grants.slice(1));
  });

  test('behavior: H65 every risk of a wallet is told, however many foreign contracts claim', () => {
    const [transaction] = block(1, [0n]).transactions;
    const risk = (at: number) => ({
      ...transaction!,
      hash: `0xd${at}`,
      from: STRANGER,
      delegations: [{ account: HOT_1, delegate: STRANGER, nonce: BigInt(at) }],
    });
    const claim = (at: number) => ({
      ...risk(at),
      delegations: [],
      events: [
        {
          kind: 'transfer' as const,
          log: 0,
          standard: 'erc20' as const,
          asset: `eip155:1/erc20:0x${at.toString(16).padStart(40, 'f')}` as const,
          from: HOT_1,
          to: STRANGER,
          amount: 1n,
          tokenIds: [],
        },
      ],
    });
    const many = <One>(count: number, make: (at: number) => One) =>
      Array.from({ length: count }, (_, at) => make(at));
    const transactions = [...many(30, (at) => risk(100 + at)), ...many(25, claim)];
    const step = readAll(start, [{ ...block(1), transactions }]);
    const kinds = step.incoming.map((one) => (one.kind === 'risk' ? one.risk.kind : one.kind));
    expect(kinds.filter((kind) => kind === 'delegation')).toHaveLength(30);
    expect(kinds.filter((kind) => kind === 'strange')).toHaveLength(20);
  });

  test('behavior: H72 a wallet’s free transaction that moves nothing is no outflow', () => {
    const [transaction] = block(1, [0n]).transactions;
    const free = { ...transaction!, fee: 0n };
    expect(readAll(start, [{ ...block(1), transactions: [free] }]).incoming).toEqual([]);
  });

  test('behavior: an outflow that its wallet did not sign has no nonce', () => {
    const [transaction] = block(1, [0n]).transactions;
    const internal = [{ path: '0', from: HOT_1, to: CUSTOMER, amount: 5n }];
    const foreign = { ...transaction!, from: STRANGER, internal };
    const [one] = readAll(start, [{ ...block(1), transactions: [foreign] }]).incoming;
    expect(one?.kind === 'transfer' && one.event).not.toHaveProperty('nonce');
  });

  test('behavior: claims of foreign contracts are told once each, and twenty in one step', () => {
    const [transaction] = block(1, [1n]).transactions;
    const lies = Array.from({ length: 30 }, (_, at) => ({
      kind: 'transfer' as const,
      log: at,
      standard: 'erc20' as const,
      asset: `eip155:1/erc20:0x${at.toString(16).padStart(40, 'f')}` as const,
      from: HOT_1,
      to: STRANGER,
      amount: 1n,
      tokenIds: [],
    }));
    const events = [...lies, { ...lies[0]!, log: 30 }];
    const lie = { ...transaction!, from: STRANGER, to: STRANGER, value: 0n, events };
    const step = readAll(start, [{ ...block(1), transactions: [lie] }]);
    expect(step.incoming).toHaveLength(20);
    expect(new Set(step.incoming.map(({ kind }) => kind))).toEqual(new Set(['risk']));
  });

  test('behavior: an allowance that the wallet gives is remembered for later blocks', () => {
    const [transaction] = block(1, [0n]).transactions;
    const contract = `eip155:1:${UNLISTED.slice(UNLISTED.lastIndexOf(':') + 1)}` as const;
    const event = {
      kind: 'approval' as const,
      log: 0,
      asset: UNLISTED,
      contract,
      owner: HOT_1,
      spender: STRANGER,
      amount: 1n,
    };
    const selector = '0x095ea7b3';
    const approving = { ...transaction!, to: contract, selector, events: [event] };
    const step = readAll(start, [{ ...block(1), transactions: [approving] }]);
    expect(step.next.grants).toEqual([
      Sighting.grantOf(HOT_1, UNLISTED),
      Sighting.allowanceOf(approving.events[0]!),
    ]);
  });

  test('args: more outflows than are remembered: the oldest are forgotten', () => {
    const step = readAll(start, [
      block(
        1,
        Array.from({ length: 1_500 }, () => 1n),
      ),
      block(
        2,
        Array.from({ length: 1_500 }, () => 1n),
      ),
    ]);
    expect(step.incoming).toHaveLength(3_000);
    expect(step.next.told.map((one) => one.block)).toEqual([header(2).hash]);
  });
});

describe('begin', () => {
  test('default: what is about to be told is remembered, each id once', () => {
    const step = readAll({ ...start, begun: [{ rowId: 'ahead', number: 9 }] }, [block(1, [5n])]);
    const begun = Watch.begin({ ...start, begun: step.begun }, step);
    expect(begun.begun).toEqual(step.begun);
    expect(begun.sequence).toBe(step.next.sequence);
    expect(begun.cursor).toBe(start.cursor);
  });
});

describe('undo', () => {
  const read = readAll(start, [block(1, [5n]), block(2, [6n]), block(3, [7n])]).next;
  const found = (stays: number) => {
    const hashes = new Map<number, string | 'absent'>();
    for (;;) {
      const search = Cursor.search(read.cursor, hashes);
      if (search.kind === 'found') return search;
      const number = search.number;
      hashes.set(number, number <= stays ? header(number).hash : 'absent');
    }
  };

  test('default: H66 what was in removed blocks is taken back, once', () => {
    const step = Watch.undo(read, found(1));
    expect(step.incoming).toHaveLength(2);
    expect(step.incoming[0]).toMatchObject({ removed: { sequence: read.sequence + 1 } });
    expect(step.next.told.map((one) => one.block)).toEqual([header(1).hash]);
    expect(Watch.undo(step.next, found(1)).incoming).toEqual([]);
  });

  test('behavior: H66 what was about to be told is taken back too, wherever it stands', () => {
    const begun = [{ rowId: 'begun', number: 1 }];
    const step = Watch.undo({ ...read, begun }, found(3));
    expect(step).toMatchObject({
      incoming: [{ kind: 'removed', removed: { rowId: 'begun' } }],
      begun: [],
      next: { begun: [], sequence: read.sequence + 1 },
    });
  });

  test('behavior: a reorg of all that it ever read lets it begin again where it began', () => {
    const { next } = Watch.undo(read, found(0));
    expect(next.stopped).toBeUndefined();
    expect(next).toMatchObject({ beganAt: 1, cursor: { recent: [] }, told: [] });
  });

  test('behavior: H67 a reorg deeper than what is remembered stops it', () => {
    const { next, incoming } = Watch.undo({ ...read, beganAt: 0 }, found(0));
    expect(next.stopped).toContain('deeper than the 3 blocks');
    expect(incoming).toHaveLength(3);
  });
});

describe('foresee', () => {
  const pending: Block.Pending = {
    hash: '0xaa',
    from: HOT_1,
    nonce: 4,
    to: CUSTOMER,
    native: ETH,
    value: 0n,
    type: '0x2',
    token: { asset: UNLISTED, to: STRANGER, amount: 3n },
  };

  test('default: what a waiting transaction would move, at first sight', () => {
    expect(Watch.foresee(known(start), [pending])).toMatchObject([
      { kind: 'sighted', event: { transaction: '0xaa', place: 'pending', nonce: 4 } },
    ]);
  });

  test('behavior: coins have their place already, and it is the place at which they will count', () => {
    const { token: _, ...coins } = { ...pending, value: 2n };
    expect(Watch.foresee(known(start), [coins])).toMatchObject([
      { event: { kind: 'outflow', place: 'top', transfer: { asset: ETH, amount: 2n } } },
    ]);
  });

  test('behavior: what a pool still shows although a block has it is no news', () => {
    const told = [{ block: '0xb1', rowIds: ['outflow:eip155:1:0xaa:log:0'] }];
    expect(Watch.foresee(known({ ...start, told }), [pending])).toEqual([]);
    expect(Watch.foresee(known({ ...start, told }), [{ ...pending, hash: '0xab' }])).toHaveLength(
      1,
    );
  });

  test('args: nothing that moves nothing, nothing of others', () => {
    const { token: _, ...bare } = pending;
    expect(Watch.foresee(known(start), [bare, { ...pending, from: STRANGER }])).toEqual([]);
  });
});

describe('sightOf', () => {
  test('default: nothing before the first block, then its times', () => {
    expect(Watch.sightOf(start)).toBeUndefined();
    const { next } = readAll(start, [block(1)]);
    expect(Watch.sightOf(next)).toEqual({ seenAtMs: T0_MS, timestampMs: T0_MS + SECOND_MS });
    expect(Watch.sightOf({ ...start, stopped: 'deep' })).toMatchObject({ stopped: 'deep' });
  });
});

describe('accountsOn', () => {
  test('default: the addresses of all wallets on one chain', () => {
    expect(Watch.accountsOn(policy(), CHAIN)).toContain(HOT_2);
    expect(Watch.accountsOn(policy(), 'eip155:5')).toEqual([]);
  });
});
