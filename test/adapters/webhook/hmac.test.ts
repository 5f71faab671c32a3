import { describe, expect, test } from 'vitest';
import { isSigned } from '../../../lib/adapters/webhook/hmac.ts';
import { hmac } from './deliveries.ts';

const KEY = 'whsec_first-key-0001';

describe('isSigned', () => {
  test('default', () => {
    expect(
      isSigned({ keys: [KEY], parts: ['a', Buffer.from('b')], signature: hmac(KEY, 'ab') }),
    ).toBe(true);
  });

  test('args: keys: any of them', () => {
    const given = { parts: ['ab'], signature: hmac(KEY, 'ab').toUpperCase() };
    expect(isSigned({ ...given, keys: ['another-key', KEY] })).toBe(true);
    expect(isSigned({ ...given, keys: [KEY, 'another-key'] })).toBe(true);
    expect(isSigned({ ...given, keys: ['another-key'] })).toBe(false);
    expect(isSigned({ ...given, keys: [] })).toBe(false);
  });

  test.each([
    ['no signature', undefined],
    ['an empty one', ''],
    ['one that is short', hmac(KEY, 'ab').slice(2)],
    ['one that is long', `${hmac(KEY, 'ab')}00`],
    ['one with a prefix', `sha256=${hmac(KEY, 'ab')}`],
    ['one that is no hex', 'z'.repeat(64)],
    ['one of another message', hmac(KEY, 'abc')],
  ])('error: %s', (_name, signature) => {
    expect(isSigned({ keys: [KEY], parts: ['ab'], signature })).toBe(false);
  });

  test('behavior: bytes that are no text are signed as they are', () => {
    const body = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
    const text = body.toString('utf8');
    const signature = hmac(KEY, text);
    expect(isSigned({ keys: [KEY], parts: [body], signature })).toBe(false);
  });
});
