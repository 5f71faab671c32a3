import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';
import { CUSTOMER, ETH, HOT_2, outflow, transfer, withdrawal } from '../support/builders.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...'1:|top.lg0'), minLength: 1, maxLength: 10 }),
  fc.constantFrom('a:log:1', 'a', 'a:top', 'top', 'log:1', 'a:trace:0', 'a:trace:'),
);
const place = fc.oneof(
  fc.constant('top'),
  fc.nat({ max: 11 }).map((n) => `log:${n}`),
  fc.string({ unit: fc.constantFrom(...'01.'), maxLength: 4 }).map((path) => `trace:${path}`),
);

describe('withdrawalRowId', () => {
  test('default', () => {
    expect(Withdrawal.withdrawalRowId('w1')).toBe('withdrawal:w1');
  });
});

describe('withdrawalIdOf', () => {
  test('default: the id of its row, and any other row as it is', () => {
    expect(Withdrawal.withdrawalIdOf('withdrawal:withdrawal:1')).toBe('withdrawal:1');
    expect(Withdrawal.withdrawalIdOf('outflow:withdrawal:')).toBe('outflow:withdrawal:');
  });
});

describe('outflowRowId', () => {
  test('default', () => {
    expect(Withdrawal.outflowRowId(outflow({ transaction: '0xab', place: 'log:3' }))).toBe(
      'outflow:eip155:1:0xab:log:3',
    );
  });

  test('behavior: H23, H25: two places of any transactions never share a row', () => {
    fc.assert(
      fc.property(hostile, place, hostile, place, (...[a, placeOfA, b, placeOfB]) => {
        const left = Withdrawal.outflowRowId(outflow({ transaction: a, place: placeOfA }));
        const right = Withdrawal.outflowRowId(outflow({ transaction: b, place: placeOfB }));
        expect(left === right).toBe(a === b && placeOfA === placeOfB);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('rowId', () => {
  test('behavior: H25: a withdrawal and an outflow never share a row', () => {
    fc.assert(
      fc.property(hostile, hostile, (withdrawalId, transaction) => {
        const ids = [withdrawal(withdrawalId), outflow({ transaction })].map(Withdrawal.rowId);
        expect(ids[0]).not.toBe(ids[1]);
      }),
    );
  });
});

describe('canonicalBody', () => {
  test('default', () => {
    expect(Withdrawal.canonicalBody(transfer({ memo: 'tag "7"' }))).toMatchInlineSnapshot(
      `"["eip155:1:0x1111111111111111111111111111111111111111","eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48","eip155:1:0xcccccccccccccccccccccccccccccccccccccccc","tag \\"7\\"","1000000"]"`,
    );
  });

  test.each([
    [{ account: HOT_2 }],
    [{ asset: ETH }],
    [{ destination: HOT_2 }],
    [{ memo: '' }],
    [{ memo: 'null' }],
    [{ amount: 10n ** 6n + 1n }],
  ])('behavior: H14: another body with %o', (other) => {
    expect(Withdrawal.canonicalBody(transfer(other))).not.toBe(
      Withdrawal.canonicalBody(transfer()),
    );
  });

  test('behavior: what is known later, or to one side only, stays outside', () => {
    const same = transfer({ fee: { asset: ETH, amount: 1n }, actor: undefined });
    expect(Withdrawal.canonicalBody(same)).toBe(Withdrawal.canonicalBody(transfer()));
  });

  test('behavior: H25: fields cannot run into each other', () => {
    fc.assert(
      fc.property(
        hostile,
        hostile,
        fc.bigInt({ min: 0n }),
        fc.bigInt({ min: 0n }),
        (...[a, b, m, n]) => {
          const body = (memo: string, amount: bigint) =>
            Withdrawal.canonicalBody(transfer({ memo, amount, destination: CUSTOMER }));
          expect(body(a, m) === body(b, n)).toBe(a === b && m === n);
        },
      ),
    );
  });
});
