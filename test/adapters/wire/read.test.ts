import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { read } from '../../../lib/adapters/wire/read.ts';

const shape = z.object({
  name: z.string().check(z.minLength(1)),
  detail: z.unknown(),
  list: z.array(z.object({ amount: z.string() })),
});

describe('read', () => {
  test('default', () => {
    const value = { name: 'a', detail: 1, list: [{ amount: '1' }] };
    expect(read(shape, value, { under: '', whole: 'thing' })).toEqual({ value });
  });

  test.each([
    [{ detail: 1, list: [] }, 'in.name: is missing'],
    [{ name: '', detail: 1, list: [] }, 'in.name: must not be empty'],
    [
      { name: 'a', detail: 1, list: [{ amount: 5 }] },
      'in.list.0.amount: must be of type string, not number',
    ],
    [{ name: 'a', detail: 1, list: {} }, 'in.list: must be of type array, not object'],
    [{ name: null, detail: 1, list: [] }, 'in.name: must be of type string, not null'],
  ])('error: %j', (value, problem) => {
    expect(read(shape, value, { under: 'in', whole: 'thing' })).toEqual({ problems: [problem] });
  });

  test('error: the whole is none', () => {
    expect(read(shape, 'x', { under: '', whole: 'thing' })).toEqual({
      problems: ['thing: must be of type object, not string'],
    });
  });
});
