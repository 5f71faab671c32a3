import { describe, expect, test } from 'vitest';
import { paintFor } from '../../../lib/cli/render/paint.ts';

const GREEN = '\u001b[32mok\u001b[39m';

describe('paintFor', () => {
  test.each([
    [true, {}, GREEN],
    [false, {}, 'ok'],
    [true, { NO_COLOR: '1' }, 'ok'],
    [true, { NO_COLOR: '' }, GREEN],
    [true, { TERM: 'dumb' }, 'ok'],
    [false, { FORCE_COLOR: '1' }, GREEN],
    [true, { FORCE_COLOR: '0' }, 'ok'],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, GREEN],
  ])('args: terminal: %s, %o', (isTerminal, env, expected) => {
    expect(paintFor({ isTerminal }, env).green('ok')).toBe(expected);
  });

  test('behavior: nothing stays nothing', () => {
    expect(paintFor({ isTerminal: true }, {}).red('')).toBe('');
  });
});
