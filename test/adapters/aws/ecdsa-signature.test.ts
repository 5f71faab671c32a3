import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  MalformedSignatureError,
  toRawSignature,
} from '../../../lib/adapters/aws/ecdsa-signature.ts';
import { toDer } from '../../support/kms.ts';

const MAX = 2n ** 256n - 1n;
const half = (value: bigint) => value.toString(16).padStart(64, '0');
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('toRawSignature', () => {
  test('default: what Node signs in DER verifies as r and s side by side', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (let round = 0; round < 600; round += 1) {
      const data = Buffer.from(`message ${round}`);
      const raw = toRawSignature(sign('sha256', data, { key: privateKey, dsaEncoding: 'der' }));
      expect(raw).toHaveLength(64);
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      expect(verify('sha256', data, key, raw)).toBe(true);
    }
  });

  test.each<[string, bigint, bigint]>([
    ['the smallest numbers', 1n, 1n],
    ['a byte without and one with its highest bit', 0x7fn, 0x80n],
    ['31 bytes with the highest bit', 2n ** 248n - 1n, 2n ** 247n],
    ['31 bytes without it', 2n ** 247n - 1n, 1n],
    ['32 bytes without it', 2n ** 255n - 1n, 2n ** 248n],
    ['32 bytes with it, 33 in DER', 2n ** 255n, MAX],
    ['a short r beside a long s', 5n, MAX],
    ['a long r beside a short s', MAX, 5n],
  ])('args: %s', (_name, r, s) => {
    expect(toRawSignature(toDer({ r, s })).toString('hex')).toBe(half(r) + half(s));
  });

  const bits = fc.integer({ min: 1, max: 256 });
  const number = bits.chain((size) =>
    fc.bigInt({ min: 2n ** BigInt(size - 1), max: 2n ** BigInt(size) - 1n }),
  );
  test.prop([number, number])('behavior: any two numbers', (r, s) => {
    expect(toRawSignature(toDer({ r, s })).toString('hex')).toBe(half(r) + half(s));
  });

  test('behavior: bytes of a larger buffer, as the SDK gives them', () => {
    const der = toDer({ r: MAX, s: 7n });
    const view = new Uint8Array(
      Buffer.concat([Buffer.alloc(9, 1), der, Buffer.alloc(9, 2)]).buffer,
    );
    const offset = Buffer.from(view).indexOf(der);
    const part = view.subarray(offset, offset + der.length);
    expect(toRawSignature(part).toString('hex')).toBe(half(MAX) + half(7n));
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['an empty sequence', '3000'],
    ['no sequence', '31 06 020101 020101'],
    ['one number', '30 03 020101'],
    ['a third number', '30 09 020101 020101 020101'],
    ['a byte after the sequence', '30 06 020101 020101 00'],
    ['a byte missing', '30 06 020101 0201'],
    ['a length that is too long', '30 07 020101 020101'],
    ['a length that is too short', '30 05 020101 020101'],
    ['a length in the long form', '30 8106 020101 020101'],
    ['a length without end', '30 80 020101 020101 0000'],
    ['another tag than an integer', '30 06 030101 020101'],
    ['an integer without bytes', '30 05 0200 020101'],
    ['an integer beyond the end', '30 06 020101 020201'],
    ['r over all of s', '30 06 020401020101'],
    ['zero', '30 06 020100 020101'],
    ['s of zero', '30 06 020101 020100'],
    ['a negative number', '30 06 020180 020101'],
    ['a zero in front for nothing', '30 07 0202007f 020101'],
    ['two zeros in front', '30 08 0203000080 020101'],
    ['33 bytes that are no sign', `30 26 0221 01${'00'.repeat(32)} 020101`],
    ['34 bytes', `30 27 0222 00${'80'.repeat(33)} 020101`],
  ])('error: %s', (_name, text) => {
    expect(() => toRawSignature(hex(text))).toThrow(MalformedSignatureError);
  });

  test.prop([
    number,
    number,
    fc.record({ place: fc.nat(), change: fc.integer({ min: 1, max: 255 }) }),
  ])(
    'behavior: a byte that is changed gives another signature or none',
    (r, s, { place, change }) => {
      const der = toDer({ r, s });
      const at = place % der.length;
      der[at] = (der[at] ?? 0) ^ change;
      let raw = '';
      try {
        raw = toRawSignature(der).toString('hex');
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedSignatureError);
      }
      expect(raw).not.toBe(half(r) + half(s));
    },
  );
});
