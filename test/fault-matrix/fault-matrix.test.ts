import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { NOTICED } from './noticed.ts';
import { PAGE, playAll, render } from './table.ts';

const cells = await playAll();

describe('playAll', () => {
  test('behavior: the page says what is answered', () => {
    expect(cells).toHaveLength(35);
    expect(render(cells)).toBe(readFileSync(PAGE, 'utf8'));
  });

  test('behavior: ReservationsFail is named where nothing is decided, and nowhere else', () => {
    const of = (names: typeof cells) => names.map((cell) => `${cell.dependency} ${cell.fault}`);
    const isUndecided = (answer: string) => /^block: (unavailable|timeout)$/.test(answer);
    const undecided = cells.filter((cell) => [cell.reserve, cell.reserveLater].some(isUndecided));
    const named = cells.filter(({ dependency, fault }) =>
      NOTICED[dependency][fault].alarms.includes('ReservationsFail'),
    );
    expect(of(named)).toEqual(of(undecided));
  });
});
