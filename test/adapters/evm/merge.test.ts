import { describe, expect, test } from 'vitest';
import { mergeBlocks, type Shown } from '../../../lib/adapters/evm/merge.ts';
import type * as Block from '../../../lib/domain/block.ts';
import { CUSTOMER, ETH, HOT_1, T0_MS, transaction, USDC } from '../../support/builders.ts';

const header = { number: 7, hash: '0xa7', parentHash: '0xa6', timestampMs: T0_MS };

function shown(endpoint: string, overrides: Partial<Block.Block> = {}): Shown {
  return { endpoint, block: { header, transactions: [], unexplained: [], ...overrides } };
}

const transfer: Block.Event = {
  kind: 'transfer',
  log: 0,
  standard: 'erc20',
  asset: USDC,
  from: HOT_1,
  to: CUSTOMER,
  amount: 5n,
  tokenIds: [],
};
const sent = (path: string, amount = 5n): Block.Internal => ({
  path,
  from: HOT_1,
  to: CUSTOMER,
  amount,
});
const kinds = (doubts: readonly Block.Doubt[]) =>
  doubts.map(({ kind, endpoint }) => `${kind} ${endpoint}`);

describe('mergeBlocks', () => {
  test('default: views that agree', () => {
    const view = { transactions: [transaction({ events: [transfer] })] };
    const { block, doubts } = mergeBlocks([shown('one', view), shown('two', view)]);
    expect(block.transactions).toEqual(view.transactions);
    expect(doubts).toEqual([]);
  });

  test('behavior: H69 what one endpoint lacks is in the union and doubted', () => {
    const whole = shown('one', { transactions: [transaction({ events: [transfer] })] });
    const without = shown('two', { transactions: [transaction()] });
    for (const lacking of [without, shown('two')]) {
      for (const order of [[whole, lacking] as const, [lacking, whole] as const]) {
        const { block, doubts } = mergeBlocks([order[0], order[1]]);
        expect(block.transactions[0]?.events).toEqual([transfer]);
        expect(kinds(doubts)).toEqual(['missing two']);
      }
    }
  });

  test('behavior: H69 the header of most, the outflows of all', () => {
    const other = { header: { ...header, hash: '0xb7' } };
    const { block, doubts } = mergeBlocks([
      shown('liar', { ...other, transactions: [transaction({ hash: '0xu' })] }),
      shown('two'),
      shown('three'),
    ]);
    expect(block.header.hash).toBe('0xa7');
    expect(block.transactions.map(({ hash }) => hash)).toEqual(['0xu']);
    expect(kinds(doubts)).toEqual(['fork liar']);
  });

  test('behavior: ways of tracing that number calls differently do not count twice', () => {
    const one = shown('one', { transactions: [transaction({ internal: [sent('0'), sent('1')] })] });
    const two = shown('two', { transactions: [transaction({ internal: [sent('2')] })] });
    const { block } = mergeBlocks([two, one]);
    expect(block.transactions[0]?.internal).toEqual([sent('0'), sent('1')]);
  });

  test('behavior: H70 a loss that another endpoint traced is explained, and the rest is not', () => {
    const loss = (amount: bigint) => [{ account: HOT_1, native: ETH, amount }];
    const traced = shown('one', { transactions: [transaction({ internal: [sent('0')] })] });
    const rest = (amount: bigint) =>
      mergeBlocks([traced, shown('two', { unexplained: loss(amount) })]).block.unexplained;
    expect(rest(5n)).toEqual([]);
    expect(rest(6n)).toEqual(loss(1n));
  });

  test('behavior: H65 two delegations of one nonce are two, and the same in two views is one', () => {
    const delegation = { account: HOT_1, delegate: CUSTOMER, nonce: 3n };
    const delegations = [delegation, { ...delegation, delegate: HOT_1 }];
    const view = { transactions: [transaction({ delegations })] };
    const { block } = mergeBlocks([shown('one', view), shown('two', view)]);
    expect(block.transactions[0]?.delegations).toEqual(delegations);
  });

  test('behavior: H82 a change of control that one endpoint shows counts, once', () => {
    const changed = [{ account: HOT_1, change: 'owners-changed' as const, about: CUSTOMER }];
    const views = [shown('one'), shown('two', { changed }), shown('three', { changed })] as const;
    expect(mergeBlocks(views).block.changed).toEqual(changed);
    expect(mergeBlocks([shown('one')]).block.changed).toBeUndefined();
  });

  test('behavior: reverted in one view only counts as moved', () => {
    const { block } = mergeBlocks([
      shown('one', { transactions: [transaction({ isReverted: true })] }),
      shown('two', { transactions: [transaction()] }),
    ]);
    expect(block.transactions[0]?.isReverted).toBe(false);
  });
});
