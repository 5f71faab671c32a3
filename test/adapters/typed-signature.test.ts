import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { asViem, typedSignatures } from '../../lib/adapters/typed-signature.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import type { Signatures } from '../../lib/ports.ts';
import { T0_MS } from '../support/builders.ts';
import { fastSign, fastSignatures } from '../support/fast-signatures.ts';

const PANIC: TypedData.Panic = {
  commandId: 'panic-0001',
  scope: 'wallet:hot-1',
  reason: 'test',
  expiresAtMs: T0_MS,
};
const STACK = { stackId: 'ab'.repeat(32) };
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

type Signer = {
  readonly address: string;
  readonly sign: (data: TypedData.TypedData) => Promise<string>;
};

/** A key of this test alone, made anew in every run. */
function account(): Signer {
  const key = privateKeyToAccount(generatePrivateKey());
  return {
    address: key.address.toLowerCase(),
    sign: (data) => key.signTypedData(asViem(data) as never),
  };
}

function contract(name: string, signatures: Signatures, signer: Signer): void {
  describe(`${name}.recover`, () => {
    test('default', async () => {
      const data = TypedData.ofPanic(PANIC, STACK);
      expect(await signatures.recover(data, await signer.sign(data))).toEqual({
        kind: 'signer',
        address: signer.address,
      });
    });

    test.each([
      ['another field', TypedData.ofPanic({ ...PANIC, scope: 'wallet:hot-2' }, STACK)],
      ['another stack', TypedData.ofPanic(PANIC, { stackId: 'cd'.repeat(32) })],
    ])('behavior: over %s it is not theirs', async (_name, other) => {
      const signature = await signer.sign(TypedData.ofPanic(PANIC, STACK));
      const recovered = await signatures.recover(other, signature);
      expect(recovered).toMatchObject({ kind: 'signer' });
      expect(recovered).not.toMatchObject({ address: signer.address });
    });

    test.each(['', '0x', '0x00', `0x${'zz'.repeat(65)}`, `0x${'11'.repeat(64)}`, 'ab'.repeat(65)])(
      'error: malformed %j',
      async (signature) => {
        const data = TypedData.ofPanic(PANIC, STACK);
        expect(await signatures.recover(data, signature)).toMatchObject({ kind: 'malformed' });
      },
    );
  });
}

contract('typedSignatures', typedSignatures, account());
const address = `0x${'5'.repeat(40)}`;
contract('fastSignatures', fastSignatures, {
  address,
  sign: async (data) => fastSign(address, data),
});

describe('typedSignatures.recover', () => {
  test('error: malleable, the same signature with the other s (H80)', async () => {
    const signer = account();
    const data = TypedData.ofPanic(PANIC, STACK);
    const signature = await signer.sign(data);
    const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`);
    const v = signature.endsWith('1b') ? '1c' : '1b';
    const twin = `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}`;
    expect(await typedSignatures.recover(data, twin)).toEqual({
      kind: 'malleable',
      why: 'its s is in the upper half of the curve (EIP-2)',
    });
  });

  test.each(['00', '01', '1d', 'ff'])('error: malformed, v of %s', async (v) => {
    const data = TypedData.ofPanic(PANIC, STACK);
    const signature = await account().sign(data);
    const other = `${signature.slice(0, 130)}${v}`;
    expect(await typedSignatures.recover(data, other)).toMatchObject({ kind: 'malformed' });
  });

  test.each(['00', 'ff'])('error: malformed, no point of the curve (r of %s)', async (byte) => {
    const data = TypedData.ofPanic(PANIC, STACK);
    const signature = `0x${byte.repeat(32)}${'11'.repeat(32)}1b`;
    expect(await typedSignatures.recover(data, signature)).toMatchObject({ kind: 'malformed' });
  });
});
