import { describe, expect, test } from 'vitest';
import { fromBalance, toBalance, toPrices } from '../../../lib/adapters/dynamodb/fact-codec.ts';
import { UnreadableError } from '../../../lib/adapters/store-errors.ts';
import * as Balance from '../../../lib/domain/balance.ts';
import { DAY_MS, MINUTE_MS, T0_MS } from '../../support/builders.ts';

/** Bytes of an item as DynamoDB counts them: names and values in UTF-8. */
function bytesOf(item: ReturnType<typeof toBalance>): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + name.length + (value.S?.length ?? value.N?.length ?? 0),
    0,
  );
}

/** A month of looks, one in five minutes, of an 18-decimal balance that never stands still. */
function busy(): Balance.Balance {
  let balance: Balance.Balance | undefined;
  for (let at = 0; at < 31 * DAY_MS; at += 5 * MINUTE_MS) {
    const amount = 4_947n * 10n ** 18n + ((BigInt(at) * 7_919_000_003_777n) % 10n ** 21n);
    balance = Balance.note(balance, { amount, atMs: T0_MS + at });
  }
  if (!balance) throw new Error('nothing was noted');
  return balance;
}

describe('toBalance', () => {
  test('default: comes back whole, within one read unit', () => {
    const value = busy();
    const item = toBalance('wallet-asset:hot-1|eip155:1/slip44:60', { version: 3, value });
    expect(fromBalance(item)).toEqual({ version: 3, value });
    expect(value.steps.flat().length).toBeGreaterThan(60);
    expect(bytesOf(item)).toBeLessThan(2_048);
  });
});

describe('fromBalance', () => {
  test.each(['1', 'x y', ':1', '1:1 ', '1:!'])('error: a step of "%s"', (step) => {
    const value = busy();
    const item = toBalance('s', { version: 1, value });
    const steps = [step, '', '', '', ''];
    const b = { S: JSON.stringify({ at: 1, newest: '1', steps }) };
    expect(() => fromBalance({ ...item, b })).toThrow(UnreadableError);
  });
});

describe('toPrices', () => {
  test('behavior: fifty feeds fit one read unit', () => {
    const quotes = new Map(
      Array.from({ length: 50 }, (_, at) => [
        `http token-number-${at}`,
        { pricePicoUsd: 3_456_789_012_345_678n, atMs: T0_MS },
      ]),
    );
    const item = toPrices({ version: 1, value: { quotes, askedAtMs: T0_MS } });
    expect(bytesOf(item)).toBeLessThan(4_096);
  });
});
