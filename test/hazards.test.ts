import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const HAZARDS = 90;
const rows = readFileSync(join(ROOT, 'docs', 'hazards.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| H'))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));

describe('docs/hazards.md', () => {
  test('default: every hazard has one line, in order', () => {
    const numbers = Array.from({ length: HAZARDS }, (_, position) => `H${position + 1}`);
    expect(rows.map(([number]) => number)).toEqual(numbers);
  });

  test('behavior: every test file that a line names has a test with that number', () => {
    const wrong = rows.flatMap(([number, , shown = '']) =>
      [...shown.matchAll(/`(test\/[^`]+\.ts)`/g)].flatMap(([, path = '']) => {
        const text = readFileSync(join(ROOT, path), 'utf8');
        const names = new RegExp(`\\b${number}\\b`).test(text);
        return names ? [] : [`${number}: ${path}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('behavior: a line without a test gives a reason', () => {
    const bare = rows.filter(([, , shown = '']) => shown.length < 12);
    expect(bare).toEqual([]);
  });
});
