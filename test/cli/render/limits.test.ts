import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../lib/cli/answers.ts';
import { limitsPage } from '../../../lib/cli/render/limits.ts';
import { paintFor } from '../../../lib/cli/render/paint.ts';

const plain = paintFor({ isTerminal: false }, {});
const LINE = {
  limitId: 'quarter',
  scope: 'wallet-asset:hot-1|eip155:1/slip44:60',
  metric: 'share',
  window: '24h',
  used: '1',
  limit: '0',
  headroom: '0',
  usedText: '1 ETH',
  limitText: '0 ETH: 25% of a balance that is not known (none was read 24h ago)',
  headroomText: '0 ETH',
  mode: 'enforce',
};

describe('limitsPage', () => {
  test('behavior: H55 names prices that are old, with the assets that they are of', () => {
    const limits = LIMITS.parse({
      lines: [LINE],
      truncated: false,
      stalePrices: [
        {
          feed: 'http ethereum',
          symbols: ['ETH', 'WETH'],
          text: 'its last good price is 2 h old and is still used',
          ageMs: 7_200_000,
        },
      ],
    });
    const page = limitsPage(limits, { paint: plain, columns: 100, all: true });
    expect(page.at(-1)).toBe(
      'Price of ETH, WETH: http ethereum: its last good price is 2 h old and is still used',
    );
  });

  test('behavior: H38 a share of a balance that nobody knows is over', () => {
    const limits = LIMITS.parse({ lines: [LINE], truncated: false });
    const page = limitsPage(limits, { paint: plain, columns: 100, all: true });
    expect(page.some((line) => line.includes('quarter') && line.includes('█'))).toBe(true);
  });
});
