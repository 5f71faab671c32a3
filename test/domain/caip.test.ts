import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Caip from '../../lib/domain/caip.ts';

const ADDRESS = '0xC4fE8d1d6A2e1C9f7f3B0b1eA3d5fA0b1C2d3E4F';

describe('parseChain', () => {
  test.each(['eip155:1', 'bip122:000000000019d6689c085ae165831e93', 'cosmos:Binance-Chain-Tigris'])(
    'args: %s',
    (text) => {
      expect(Caip.parseChain(text)).toBe(text);
    },
  );

  test.each([
    '',
    'eip155',
    'eip155:',
    ':1',
    'EIP155:1',
    'ab:1',
    'eip155:1:2',
    'eip155:1\n',
    'eip155: 1',
    `eip155:${'1'.repeat(33)}`,
  ])('error: %j', (text) => {
    expect(() => Caip.parseChain(text)).toThrow(Caip.InvalidIdError);
  });
});

describe('parseAccount', () => {
  test('behavior: H25: an EVM address has one form, whatever its checksum case', () => {
    const lower = `eip155:1:${ADDRESS.toLowerCase()}`;
    expect(Caip.parseAccount(`eip155:1:${ADDRESS}`)).toBe(lower);
    expect(Caip.parseAccount(lower)).toBe(lower);
    expect(Caip.parseAccount(`eip155:1:0x${ADDRESS.slice(2).toUpperCase()}`)).toBe(lower);
  });

  test('behavior: H25: other namespaces keep their case', () => {
    const solana =
      'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv';
    expect(Caip.parseAccount(solana)).toBe(solana);
  });

  test.each([
    '',
    'eip155:1',
    'eip155:1:',
    `eip155:1:${ADDRESS}0`,
    `eip155:1:${ADDRESS.slice(0, -1)}`,
    `eip155:1:${ADDRESS.slice(2)}`,
    `eip155:1:0X${ADDRESS.slice(2)}`,
    `eip155:1: ${ADDRESS}`,
    `eip155:1:${ADDRESS}\n`,
    `:eip155:1:${ADDRESS}`,
    `x:eip155:1:${ADDRESS}`,
    'solana:5eykt:a|b',
    'solana:5eykt:a/b',
    `solana:5eykt:${'a'.repeat(129)}`,
  ])('error: %j', (text) => {
    expect(() => Caip.parseAccount(text)).toThrow(Caip.InvalidIdError);
  });
});

describe('parseAsset', () => {
  test('behavior: H25: a contract has one form, whatever its checksum case', () => {
    expect(Caip.parseAsset(`eip155:1/erc20:${ADDRESS}`)).toBe(
      `eip155:1/erc20:${ADDRESS.toLowerCase()}`,
    );
  });

  test('behavior: H25: of whatever standard it is; only that of ERC-20 must be an address', () => {
    expect(Caip.parseAsset(`eip155:1/erc721:${ADDRESS}`)).toBe(
      `eip155:1/erc721:${ADDRESS.toLowerCase()}`,
    );
    expect(Caip.parseAsset('eip155:1/other:Ab.9')).toBe('eip155:1/other:ab.9');
  });

  test.each([
    'eip155:1/slip44:60',
    'eip155:1/slip44:ABC',
    'solana:5eykt/token:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
  ])('args: %s', (text) => {
    expect(Caip.parseAsset(text)).toBe(text);
  });

  test.each([
    '',
    'eip155:1',
    'eip155:1/',
    'eip155:1/slip44',
    'eip155/slip44:60',
    'eip155:1/slip44:60/7',
    'eip155:1/erc20:0x12',
    'eip155:1/slip44:6 0',
    'eip155:1/slip44:60\n',
    '/slip44:60',
    'eip155:1slip44:60',
    'eip155:56',
    'solana:5eykt',
  ])('error: %j', (text) => {
    expect(() => Caip.parseAsset(text)).toThrow(Caip.InvalidIdError);
  });
});

describe('InvalidIdError', () => {
  const told = (parse: (text: string) => unknown, text: string) => {
    try {
      parse(text);
    } catch (error) {
      return error;
    }
    throw new Error('it was taken');
  };

  test.each([
    [Caip.parseChain, 'a CAIP-2 chain such as "eip155:1"'],
    [Caip.parseAccount, 'a CAIP-10 account such as "eip155:1:0x…" (40 hex digits)'],
    [Caip.parseAsset, 'a CAIP-19 asset such as "eip155:1/slip44:60" or "eip155:1/erc20:0x…"'],
  ])('default: %o says what it expected', (parse, expected) => {
    expect(told(parse, 'bad')).toMatchObject({
      name: 'Caip.InvalidIdError',
      message: `"bad" is not ${expected}`,
    });
  });

  test('behavior: what is long is repeated in part', () => {
    const error = told(Caip.parseChain, 'x'.repeat(201));
    expect(error).toMatchObject({ message: expect.stringContaining(`"${'x'.repeat(200)}" is`) });
  });
});

describe('chainOf', () => {
  test('args: an account and an asset', () => {
    expect(Caip.chainOf(`eip155:56:${ADDRESS}`)).toBe('eip155:56');
    expect(Caip.chainOf(`eip155:56/erc20:${ADDRESS}`)).toBe('eip155:56');
  });
});

test('H25: parsing what was parsed changes nothing, and no parser throws anything but its own error', () => {
  const parsers = [Caip.parseChain, Caip.parseAccount, Caip.parseAsset];
  const start = fc.constantFrom('', 'eip155:', 'eip155:1:0x', 'eip155:1/erc20:0x', 'solana:5eykt:');
  const rest = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'0aF:/.%-'), minLength: 38, maxLength: 42 }),
    fc.string({ unit: fc.constantFrom(...'0aF'), minLength: 40, maxLength: 40 }),
  );
  const text = fc.tuple(start, rest).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.constantFrom(...parsers), (input, parse) => {
      let first: string;
      try {
        first = parse(input);
      } catch (error) {
        expect(error).toBeInstanceOf(Caip.InvalidIdError);
        return;
      }
      expect(parse(first)).toBe(first);
    }),
  );
});
