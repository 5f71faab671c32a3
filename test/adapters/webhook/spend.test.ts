import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Outgoing } from '../../../lib/adapters/webhook/delivery.ts';
import { type Spend, toOutflows } from '../../../lib/adapters/webhook/spend.ts';
import type { AccountId } from '../../../lib/domain/caip.ts';
import * as Build from '../../support/builders.ts';

const CHAIN = 'bip122:000000000019d6689c085ae165831e93';
const at = (address: string): AccountId => `${CHAIN}:${address}` as AccountId;
const POLICY = Build.policy({
  wallets: [
    { name: 'btc-hot', keyDomain: 'vault-btc', addresses: [at('hot1'), at('hot2'), at('change')] },
    { name: 'btc-cold', keyDomain: 'cold', addresses: [at('cold')] },
  ],
});

type Part = readonly [address: string | undefined, amount: number];

function spend(inputs: readonly Part[], outputs: readonly Part[]): Spend {
  const part = ([address, amount]: Part) => ({
    ...(address !== undefined && { address }),
    amount: String(amount),
  });
  return {
    kind: 'spend',
    transaction: 'ab'.repeat(32),
    chain: CHAIN,
    asset: `${CHAIN}/slip44:0`,
    inputs: inputs.map((one) => ({ address: '', ...part(one) })),
    outputs: outputs.map(part),
  };
}

function read(inputs: readonly Part[], outputs: readonly Part[]): readonly Outgoing[] {
  return toOutflows(POLICY, { spend: spend(inputs, outputs), under: 'outflows.0' });
}

/** Place, destination, amount and fee of each leg. */
function legs(inputs: readonly Part[], outputs: readonly Part[]): readonly string[] {
  return read(inputs, outputs).map(({ detail }) => {
    const { place, destination, amount, fee } = detail as Record<string, string> & {
      fee?: { amount: string };
    };
    return [place, destination?.split(':').at(-1), amount, fee?.amount].join(' ').trim();
  });
}

describe('toOutflows', () => {
  test('default: inputs less change, each payment a leg at its output, the fee once (H23, H24)', () => {
    const inputs: Part[] = [
      ['hot1', 700],
      ['hot2', 300],
    ];
    const outputs: Part[] = [
      ['change', 400],
      ['customer1', 250],
      ['customer2', 340],
    ];
    expect(legs(inputs, outputs)).toEqual(['log:1 customer1 250 10', 'log:2 customer2 340']);
    expect(read(inputs, outputs)[0]?.detail).toMatchObject({ wallet: at('hot1') });
  });

  test('behavior: the same payment twice is two legs (H63)', () => {
    expect(
      legs(
        [['hot1', 10]],
        [
          ['x', 5],
          ['x', 5],
        ],
      ),
    ).toEqual(['log:0 x 5', 'log:1 x 5']);
  });

  test('behavior: change to an address that the policy does not list left', () => {
    expect(legs([['hot1', 10]], [['fresh', 10]])).toEqual(['log:0 fresh 10']);
  });

  test('behavior: back to where it came from is change, also for a wallet that nobody knows', () => {
    expect(
      legs(
        [['nobody', 10]],
        [
          ['nobody', 4],
          ['x', 5],
        ],
      ),
    ).toEqual(['log:1 x 5 1']);
  });

  test('behavior: to a wallet of ours that paid nothing is an outflow of the one that did', () => {
    expect(legs([['hot1', 10]], [['cold', 9]])).toEqual(['log:0 cold 9 1']);
  });

  test('behavior: a fee that eats everything counts (H24)', () => {
    expect(legs([['hot1', 1_000]], [['change', 1]])).toEqual(['log:0 change 0 999']);
    expect(legs([['hot1', 1_000]], [['change', 1_000]])).toEqual([]);
  });

  test('behavior: an output without an address counts if it holds money, data does not', () => {
    expect(
      legs(
        [['hot1', 10]],
        [
          [undefined, 0],
          [undefined, 6],
          ['x', 4],
        ],
      ),
    ).toEqual(['log:1 nonstandard 6', 'log:2 x 4']);
  });

  test("behavior: a stranger's inputs do not hide ours", () => {
    expect(
      legs(
        [
          ['stranger', 5],
          ['hot1', 5],
        ],
        [
          ['x', 9],
          ['stranger', 1],
        ],
      ),
    ).toEqual(['log:0 x 9']);
    expect(
      read(
        [
          ['stranger', 5],
          ['hot1', 5],
        ],
        [['x', 9]],
      )[0]?.detail,
    ).toMatchObject({
      wallet: at('hot1'),
    });
  });

  test('error: outputs above inputs, an address or a chain that is none', () => {
    expect(() => read([['hot1', 1]], [['x', 2]])).toThrow(
      'outflows.0.outputs: their amounts are above',
    );
    expect(() => read([['no good', 1]], [['x', 1]])).toThrow(
      /outflows\.0\.inputs\.0\.address: .*no good/,
    );
    const wrong = { ...spend([['hot1', 1]], [['x', 1]]), chain: 'bitcoin' };
    expect(() => toOutflows(POLICY, { spend: wrong, under: 'outflows.0' })).toThrow(/CAIP-2/);
  });

  const amount = fc.integer({ min: 0, max: 1_000_000 });
  const output = fc.tuple(fc.constantFrom('hot1', 'hot2', 'change', 'x', 'y', 'cold'), amount);
  property.prop([fc.array(output, { minLength: 1, maxLength: 12 }), amount])(
    'behavior: what left is inputs less change, whatever the outputs (H24)',
    (outputs, fee) => {
      const total = outputs.reduce((sum, [, each]) => sum + each, 0) + fee;
      const change = outputs
        .filter(([address]) => ['hot1', 'hot2', 'change'].includes(address))
        .reduce((sum, [, each]) => sum + each, 0);
      const left = read([['hot2', total]], outputs).reduce((sum, { detail }) => {
        const { amount: units, fee: paid } = detail as { amount: string; fee?: { amount: string } };
        return sum + Number(units) + Number(paid?.amount ?? 0);
      }, 0);
      expect(left).toBe(total - change);
    },
  );
});
