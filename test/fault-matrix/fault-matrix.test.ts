import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PAGE, playAll, render } from './table.ts';

describe('playAll', () => {
  test('behavior: the page says what is answered', async () => {
    const cells = await playAll();
    expect(cells).toHaveLength(35);
    expect(render(cells)).toBe(readFileSync(PAGE, 'utf8'));
  });
});
