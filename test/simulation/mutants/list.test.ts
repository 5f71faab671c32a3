import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from './list.ts';

const ROOT = new URL('../../../', import.meta.url);

describe('MUTANTS', () => {
  test('default: forty at least, each with a name of its own', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(MUTANTS.map(({ file, name }) => `${file} ${name}`)).size).toBe(MUTANTS.length);
  });

  test('behavior: each change is found in its file exactly once', () => {
    const lost = MUTANTS.filter(({ file, from }) => {
      const parts = readFileSync(new URL(file, ROOT), 'utf8').split(from);
      return parts.length !== 2;
    });
    expect(lost.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
  });
});
