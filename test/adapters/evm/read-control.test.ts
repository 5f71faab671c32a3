import { keccak256, toFunctionSelector, toHex } from 'viem';
import { describe, expect, test } from 'vitest';
import { QUESTIONS, readChanged } from '../../../lib/adapters/evm/read-control.ts';
import { RefusedError, type Rpc } from '../../../lib/adapters/evm/rpc.ts';
import { watch } from '../../../lib/adapters/evm/watch.ts';
import type { Hex } from '../../../lib/adapters/evm/wire.ts';
import type * as Block from '../../../lib/domain/block.ts';
import { idOf, NATIVE } from './chain-world.ts';

const WALLET: Hex = `0x${'a'.repeat(40)}`;
const [ONE, TWO, THREE] = ['1', '2', '3'].map((digit): Hex => `0x${digit.repeat(40)}`) as [
  Hex,
  Hex,
  Hex,
];
const scope = watch({ native: NATIVE, accounts: [idOf(WALLET)] });
const word = (value: Hex | number) => toHex(BigInt(value), { size: 32 }).slice(2);
const list = (...entries: readonly Hex[]): Hex =>
  `0x${word(32)}${word(entries.length)}${entries.map(word).join('')}`;

/** A node whose wallet answers one question, differently before and after. */
function node(call: string, [before, after]: readonly [Hex | undefined, Hex | undefined]): Rpc {
  return {
    name: 'one',
    call: async (method, ...params) => {
      const [first, second] = params as [string | { readonly data: string }, string];
      const asked = typeof first === 'string' ? second : first.data;
      const said = asked.startsWith(call) ? (params.at(-1) === '0x7' ? after : before) : undefined;
      if (said !== undefined) return said;
      throw new RefusedError({ name: 'one', method, why: 'execution reverted' });
    },
  };
}

async function changed(
  rpc: Rpc,
  logged: readonly Extract<Block.Event, { kind: 'control' }>[] = [],
): Promise<readonly (readonly [string, string | undefined])[]> {
  const found = await readChanged(rpc, scope, { addresses: [WALLET], before: 6, after: 7, logged });
  return found.map(({ change, about }) => [change, about?.slice(-1)]);
}

describe('QUESTIONS', () => {
  const slotOf = (text: string) => toHex(BigInt(keccak256(toHex(text))) - 1n, { size: 32 });

  test('default: each selector and slot is that of its name', () => {
    expect(QUESTIONS.map((one) => ('slot' in one ? one.slot : one.call.slice(0, 10)))).toEqual([
      toFunctionSelector('masterCopy()'),
      slotOf('eip1967.proxy.implementation'),
      slotOf('eip1967.proxy.admin'),
      toFunctionSelector('getOwners()'),
      toFunctionSelector('owner()'),
      toFunctionSelector('getThreshold()'),
      toFunctionSelector('getModulesPaginated(address,uint256)'),
    ]);
  });
});

describe('readChanged', () => {
  const OWNERS = '0xa0e67e2b';

  test('default: H82 another implementation, by the address that it has now', async () => {
    const rpc = node('0xa619486e', [`0x${word(ONE)}`, `0x${word(TWO)}`]);
    expect(await changed(rpc)).toEqual([['implementation-changed', '2']]);
  });

  test('behavior: H82 owners that came and went, each by itself', async () => {
    const rpc = node(OWNERS, [list(ONE, TWO), list(THREE, TWO)]);
    expect(await changed(rpc)).toEqual([
      ['owners-changed', '3'],
      ['owners-changed', '1'],
    ]);
  });

  test('behavior: a threshold names nobody, nor does another order', async () => {
    const threshold = node('0xe75235b8', [`0x${word(2)}`, `0x${word(1)}`]);
    expect(await changed(threshold)).toEqual([['threshold-changed', undefined]]);
    const order = node(OWNERS, [list(ONE, TWO), list(TWO, ONE)]);
    expect(await changed(order)).toEqual([['owners-changed', undefined]]);
  });

  test('behavior: what a log told is told once; a log that names another one tells nothing', async () => {
    const rpc = node(OWNERS, [list(ONE), list(ONE, TWO)]);
    const added = (about: Hex) =>
      ({
        kind: 'control',
        log: 0,
        account: idOf(WALLET),
        change: 'owner-added',
        about: idOf(about),
      }) as const;
    expect(await changed(rpc, [added(TWO)])).toEqual([]);
    expect(await changed(rpc, [added(THREE)])).toEqual([['owners-changed', '2']]);
    const other = { ...added(TWO), account: idOf(THREE) };
    expect(await changed(rpc, [other])).toEqual([['owners-changed', '2']]);
  });

  test('behavior: the same, nothing, or an answer at one end only is no change', async () => {
    expect(await changed(node(OWNERS, [list(ONE), list(ONE)]))).toEqual([]);
    expect(await changed(node(OWNERS, [undefined, list(ONE)]))).toEqual([]);
    expect(await changed(node(OWNERS, ['0x', list(ONE)]))).toEqual([]);
  });

  test('error: a node that does not answer', async () => {
    const rpc: Rpc = {
      name: 'one',
      call: async () => {
        throw new Error('no answer');
      },
    };
    await expect(changed(rpc)).rejects.toThrow('no answer');
  });
});
