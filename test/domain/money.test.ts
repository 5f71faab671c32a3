import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Money from '../../lib/domain/money.ts';

const value = fc.bigInt({ min: 0n, max: Money.MAX });
const decimals = fc.integer({ min: 0, max: Money.DECIMALS_MAX });

describe('add', () => {
  test('default', () => {
    expect(Money.add(2n, 3n)).toBe(5n);
  });

  test('behavior: H11: below, at and above the maximum it saturates and never wraps', () => {
    expect(Money.add(Money.MAX - 2n, 1n)).toBe(Money.MAX - 1n);
    expect(Money.add(Money.MAX - 1n, 1n)).toBe(Money.MAX);
    expect(Money.add(Money.MAX, 1n)).toBe(Money.MAX);
    expect(Money.add(Money.MAX, Money.MAX)).toBe(Money.MAX);
  });

  test('behavior: a sum does not depend on the order', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 8 }), (values) => {
        const forward = values.reduce(Money.add, 0n);
        expect(values.toReversed().reduce(Money.add, 0n)).toBe(forward);
      }),
    );
  });
});

describe('parseUnits', () => {
  test('default', () => {
    expect(Money.parseUnits('4947.5', 18)).toBe(4_947_500_000_000_000_000_000n);
  });

  test.each([
    ['0', 0, 0n],
    ['0.0', 0, 0n],
    ['007', 0, 7n],
    ['1.10', 1, 11n],
    ['9007199254740993', 0, 9_007_199_254_740_993n],
    ['18446744073709551616', 0, 2n ** 64n],
    ['0.000000000000000001', 18, 1n],
    [Money.MAX.toString(), 0, Money.MAX],
  ])('args: H11: %s with %i decimals', (text, places, expected) => {
    expect(Money.parseUnits(text, places)).toBe(expected);
  });

  test.each([
    '',
    ' ',
    '-1',
    '+1',
    '1e3',
    '.5',
    '5.',
    '1,000',
    '0x10',
    'NaN',
    'Infinity',
    ' 1',
    '1\n',
    '١',
    '1.2.3',
    '9'.repeat(79),
    (Money.MAX + 1n).toString(),
  ])('error: H41: %j is no decimal', (text) => {
    expect(() => Money.parseUnits(text, 18)).toThrow(Money.InvalidDecimalError);
  });

  test('error: H9: a digit below the unit is refused, not cut off', () => {
    expect(Money.parseUnits('0.123456', 6)).toBe(123_456n);
    expect(() => Money.parseUnits('0.1234561', 6)).toThrow(Money.TooPreciseError);
    expect(() => Money.parseUnits('1.5', 0)).toThrow('"1.5" has more than 0 fraction digits');
  });

  test('error: a long text is cut in the message', () => {
    expect(() => Money.parseUnits('x'.repeat(10_000), 0)).toThrow(/^.{100,200}$/);
  });
});

describe('formatUnits', () => {
  test('default', () => {
    expect(Money.formatUnits(4_947_500_000_000_000_000_000n, 18)).toBe('4947.5');
  });

  test.each([
    [0n, 18, '0'],
    [1n, 18, '0.000000000000000001'],
    [10n, 1, '1'],
    [7n, 0, '7'],
  ])('args: %s with %i decimals', (amount, places, expected) => {
    expect(Money.formatUnits(amount, places)).toBe(expected);
  });

  test('behavior: H11: parse reads back what format wrote, for every amount and every decimals', () => {
    fc.assert(
      fc.property(value, decimals, (amount, places) => {
        const text = Money.formatUnits(amount, places);
        fc.pre(text.length <= 78);
        expect(Money.parseUnits(text, places)).toBe(amount);
      }),
    );
  });
});

describe('parseUsd', () => {
  test('default', () => {
    expect(Money.parseUsd('2500000.01')).toBe(2_500_000_010_000n);
  });

  test('error: below a micro-USD', () => {
    expect(Money.parseUsd('0.000001')).toBe(1n);
    expect(() => Money.parseUsd('0.0000001')).toThrow(Money.TooPreciseError);
  });
});

describe('parsePrice', () => {
  test('default', () => {
    expect(Money.parsePrice('0.0000123')).toBe(12_300_000n);
  });

  test('error: below a pico-USD', () => {
    expect(Money.parsePrice('0.000000000001')).toBe(1n);
    expect(() => Money.parsePrice('0.0000000000001')).toThrow(Money.TooPreciseError);
  });
});

describe('formatUsd', () => {
  test.each([
    [0n, '$0.00'],
    [1n, '$0.01'],
    [10_000n, '$0.01'],
    [10_001n, '$0.02'],
    [99_990_000n, '$99.99'],
    [99_990_001n, '$100'],
    [100_000_000n, '$100'],
    [100_000_001n, '$101'],
    [7_420_500_000_000n, '$7,420,500'],
  ])('args: %s micro-USD', (microUsd, expected) => {
    expect(Money.formatUsd(microUsd)).toBe(expected);
  });
});

describe('notionalMicroUsd', () => {
  const price = (usd: bigint) => usd * 10n ** 12n;

  test('default', () => {
    const amount = 4_947n * 10n ** 18n;
    expect(Money.notionalMicroUsd({ amount, decimals: 18, pricePicoUsd: price(1_500n) })).toBe(
      7_420_500_000_000n,
    );
  });

  test('args: H11: a token without decimals', () => {
    expect(Money.notionalMicroUsd({ amount: 3n, decimals: 0, pricePicoUsd: price(2n) })).toBe(
      6_000_000n,
    );
  });

  test('behavior: H9: a single base unit is never worth nothing', () => {
    expect(Money.notionalMicroUsd({ amount: 1n, decimals: 18, pricePicoUsd: 1n })).toBe(1n);
    expect(Money.notionalMicroUsd({ amount: 0n, decimals: 18, pricePicoUsd: 1n })).toBe(0n);
  });

  test('behavior: H9: splitting an amount never lowers its notional', () => {
    const parts = fc.array(fc.bigInt({ min: 0n, max: 10n ** 24n }), {
      minLength: 1,
      maxLength: 10,
    });
    const pricePicoUsd = fc.bigInt({ min: 0n, max: 10n ** 18n });
    fc.assert(
      fc.property(parts, pricePicoUsd, decimals, (amounts, pico, places) => {
        const size = (amount: bigint) =>
          Money.notionalMicroUsd({ amount, decimals: places, pricePicoUsd: pico });
        const whole = size(amounts.reduce((a, b) => a + b, 0n));
        const split = amounts.map(size).reduce((a, b) => a + b, 0n);
        expect(split).toBeGreaterThanOrEqual(whole);
        expect(split - whole).toBeLessThan(BigInt(amounts.length));
      }),
    );
  });

  test('behavior: H11: saturates', () => {
    expect(
      Money.notionalMicroUsd({ amount: Money.MAX, decimals: 0, pricePicoUsd: price(1n) }),
    ).toBe(Money.MAX);
  });

  test('error: negative amount or price', () => {
    const valid = { amount: 1n, decimals: 0, pricePicoUsd: 1n };
    expect(() => Money.notionalMicroUsd({ ...valid, amount: -1n })).toThrow(
      Money.NegativeAmountError,
    );
    expect(() => Money.notionalMicroUsd({ ...valid, pricePicoUsd: -1n })).toThrow(
      Money.NegativeAmountError,
    );
  });
});

describe('shareOf', () => {
  test.each([
    [10_000n, 8_000, 8_000n],
    [1n, 9_999, 0n],
    [3n, 5_000, 1n],
    [Money.MAX, 10_000, Money.MAX],
  ])('args: %s at %i bps', (amount, bps, expected) => {
    expect(Money.shareOf(amount, bps)).toBe(expected);
  });
});

describe('rescale', () => {
  test.each([
    [1n, 6, 18, 10n ** 12n],
    [10n ** 12n, 18, 6, 1n],
    [5n, 8, 8, 5n],
    [0n, 18, 0, 0n],
  ])('args: %s from %i to %i decimals', (...[amount, from, to, expected]) => {
    expect(Money.rescale(amount, { from, to })).toBe(expected);
  });

  test('behavior: H9: rounds up, so that dust is not free', () => {
    expect(Money.rescale(1n, { from: 18, to: 6 })).toBe(1n);
    expect(Money.rescale(10n ** 12n + 1n, { from: 18, to: 6 })).toBe(2n);
  });

  test('behavior: H11: saturates', () => {
    expect(Money.rescale(Money.MAX, { from: 0, to: 1 })).toBe(Money.MAX);
  });
});

describe('formatUsdDown', () => {
  test.each([
    [0n, '$0.00'],
    [9_999n, '$0.00'],
    [10_000n, '$0.01'],
    [99_999_999n, '$99.99'],
    [100_000_000n, '$100'],
    [1_234_999_999n, '$1,234'],
  ])('args: %d never promises what is not there', (microUsd, text) => {
    expect(Money.formatUsdDown(microUsd)).toBe(text);
  });
});

describe('unitsFor', () => {
  test('default: the most units that are worth no more', () => {
    const eth = { decimals: 18, pricePicoUsd: 1_500n * 10n ** 12n };
    expect(Money.unitsFor({ microUsd: 1_500_000_000n, ...eth })).toBe(10n ** 18n);
    expect(Money.unitsFor({ microUsd: 1n, decimals: 6, pricePicoUsd: 3n * 10n ** 12n })).toBe(0n);
    expect(Money.unitsFor({ microUsd: 7n, decimals: 6, pricePicoUsd: 3n * 10n ** 12n })).toBe(2n);
  });
});

describe('errors', () => {
  test('error: each says what was wrong, and has a name of its own', () => {
    const negative = new Money.NegativeAmountError({ amount: -1n, pricePicoUsd: 2n });
    expect(`${negative}`).toBe(
      'Money.NegativeAmountError: amount -1 and price 2 must not be negative',
    );
    const precise = new Money.TooPreciseError({ text: '1'.repeat(101), decimals: 6 });
    expect(precise.name).toBe('Money.TooPreciseError');
    expect(precise.message).toBe(`"${'1'.repeat(100)}" has more than 6 fraction digits`);
    expect(new Money.InvalidDecimalError({ text: 'x' }).name).toBe('Money.InvalidDecimalError');
    const given = { amount: -1n, decimals: 0, pricePicoUsd: 2n };
    expect(() => Money.notionalMicroUsd(given)).toThrow('amount -1 and price 2');
  });
});
