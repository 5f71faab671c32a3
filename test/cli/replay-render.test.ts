import { describe, expect, test } from 'vitest';
import { logLine } from '../../lib/cli/render/local.ts';
import { paintFor } from '../../lib/cli/render/paint.ts';
import { pageBox } from '../../lib/cli/render/replay/page.ts';
import { fullestOf, limitsShown } from '../../lib/cli/render/replay/traffic.ts';
import { brief, milliseconds, minutesText, number } from '../../lib/cli/render/replay/words.ts';
import type * as Policy from '../../lib/domain/policy.ts';

const paint = paintFor({ isTerminal: false }, { NO_COLOR: '1' });

describe('brief', () => {
  test('default: whole and short numbers stay', () => {
    expect(brief('4,947 ETH')).toBe('4,947 ETH');
    expect(brief('0.5 BTC')).toBe('0.5 BTC');
    expect(brief('12.25 SOL')).toBe('12.25 SOL');
  });

  test('behavior: cut digits are marked', () => {
    expect(brief('2,444,444.4444 KDA')).toBe('~2,444,444 KDA');
    expect(brief('29.88309483 SOL')).toBe('~29.88 SOL');
    expect(brief('0.0037053 BTC')).toBe('~0.00370 BTC');
  });
});

describe('number', () => {
  test('default', () => {
    expect(number('4500 ETH')).toBe('4,500 ETH');
    expect(number('$5,000,000')).toBe('$5,000,000');
    expect(number('4962.86877334 ETH')).toBe('~4,962 ETH');
  });
});

describe('minutesText', () => {
  test('default: in minutes as timelines say it, in larger units beyond', () => {
    expect([23, 117, 179, 180, 2_879, 8_760].map(minutesText)).toEqual([
      '23 min',
      '117 min',
      '179 min',
      '3 h 0 min',
      '47 h 59 min',
      '6 d 2 h',
    ]);
  });
});

describe('milliseconds', () => {
  test('default: less than one is no zero', () => {
    expect([0.4, 1, 12.4, 1_240].map(milliseconds)).toEqual([
      'under 1 ms',
      '1 ms',
      '12 ms',
      '1,240 ms',
    ]);
  });
});

describe('limitsShown', () => {
  const limit = (limitId: string, rest: Partial<Policy.Limit>): Policy.Limit => ({
    limitId,
    scope: 'wallet',
    where: {},
    metric: 'notional',
    windowMs: 3_600_000,
    allowed: 1n,
    action: { kind: 'pause', scope: 'wallet' },
    mode: 'enforce',
    ...rest,
  });
  const limits = [
    limit('single', { metric: 'single', windowMs: 0 }),
    limit('told', { action: { kind: 'alert' } }),
    limit('customers', { scope: 'actor' }),
    limit('a', {}),
    limit('b', {}),
  ];

  test('default: sums that pause first, and none that cannot be listed', () => {
    expect(limitsShown(limits, 80)).toEqual(['a', 'b', 'told']);
  });

  test('args: columns: as many as fit', () => {
    expect(limitsShown(limits, 61)).toEqual(['a', 'b']);
    expect(limitsShown(limits, 20)).toEqual([]);
  });
});

describe('fullestOf', () => {
  const line = (scope: string, used: bigint) => ({
    limitId: 'wallet-hour',
    scope,
    metric: 'notional',
    window: '1h',
    used,
    limit: 10n,
    headroom: 10n - used,
    usedText: '',
    limitText: '',
    headroomText: '',
    mode: 'enforce' as const,
  });

  test('default: the fullest scope of each limit; one that is not reported is empty', () => {
    const lines = [line('wallet:a', 2n), line('wallet:b', 7n), line('wallet:c', 1n)];
    expect(fullestOf({ lines, truncated: false }, ['wallet-hour', 'gone'])).toEqual([
      { limitId: 'wallet-hour', share: { used: 7n, limit: 10n } },
      { limitId: 'gone', share: { used: 0n, limit: 1n } },
    ]);
  });
});

describe('pageBox', () => {
  test('behavior: wraps what is longer than the box, also within a word, and obeys nothing in it', () => {
    const message = {
      severity: 'page',
      subject: 'TRIPPED wallet:a\u001b[2J',
      body: `event ${'x'.repeat(40)}`,
    } as const;
    expect(pageBox(message, { paint, columns: 40 }).slice(1)).toEqual([
      '┌─────────────────────────────────────┐',
      '│ TRIPPED wallet:a\\u{1b}[2J           │',
      '├─────────────────────────────────────┤',
      '│ event                               │',
      '│ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx │',
      '│ xxxxx                               │',
      '└─────────────────────────────────────┘',
    ]);
  });
});

describe('logLine', () => {
  const at = { atMs: Date.parse('2023-09-12T13:20:59Z'), paint };

  test('default: one decision, one line, with what it opened', () => {
    const fields = {
      rowId: 'outflow:a',
      result: 'unmatched-outflow',
      notional: '7900000000000',
      trips: [
        { scope: 'key-domain:hot', incidentId: 'I1', opened: true },
        { scope: 'wallet:a', incidentId: 'I1', opened: false },
      ],
      wouldTrip: ['global'],
    };
    expect(logLine({ level: 'info', message: 'event decided', fields }, at)).toBe(
      '13:20:59  unmatched-outflow  $7,900,000  outflow:a  TRIPPED key-domain:hot  would trip global',
    );
  });

  test('behavior: what outsiders wrote cannot move the cursor', () => {
    const fields = { reason: 'bad\u001b[1A' };
    expect(logLine({ level: 'error', message: 'event rejected', fields }, at)).toBe(
      '13:20:59  event rejected: bad\\u{1b}[1A',
    );
  });
});
