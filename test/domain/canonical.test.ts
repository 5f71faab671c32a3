import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import * as Canonical from '../../lib/domain/canonical.ts';

describe('text', () => {
  test('default', () => {
    const value = { b: [1, 'ü', null, true], a: { z: undefined, y: '\n' }, B: '\ud800' };
    expect(Canonical.text(value)).toBe('{"B":"\\ud800","a":{"y":"\\n"},"b":[1,"ü",null,true]}');
  });

  test('error: numbers with several texts', () => {
    for (const bad of [0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      expect(() => Canonical.text({ bad })).toThrow(RangeError);
    }
    expect(Canonical.text(-0)).toBe('0');
  });

  test.prop([
    fc.dictionary(
      fc.string({ unit: 'binary' }),
      fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger()),
    ),
  ])('behavior: what is read of it has the same text, whatever the order of its keys', (value) => {
    const text = Canonical.text(value);
    expect(JSON.parse(text)).toEqual({ ...value });
    expect(Canonical.text(JSON.parse(text))).toBe(text);
    const reversed = Object.fromEntries(Object.entries(value).toReversed());
    expect(Canonical.text(reversed)).toBe(text);
  });
});
