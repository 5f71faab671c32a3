import type { Line, Report } from '../../lib/actions/report-limits.ts';
import type { Status } from '../../lib/actions/report-status.ts';
import type { Cause, Incident } from '../../lib/domain/breaker.ts';

/** 2023-09-12 13:21:04 UTC, and twelve minutes and five seconds later. */
export const OPENED_MS = Date.parse('2023-09-12T13:21:04Z');
export const NOW_MS = OPENED_MS + 725_000;

const UNMATCHED: Cause = {
  kind: 'unmatched',
  atMs: OPENED_MS,
  rowId: `outflow:eip155:1:0x${'8c'.repeat(32)}:top`,
  text: 'outflow of 4,947 ETH from eth-hot-1 that nobody approved: it names no withdrawal',
  notional: 7_420_500_000_000n,
};

export const CAUSES: readonly Cause[] = [
  UNMATCHED,
  {
    kind: 'limit',
    atMs: OPENED_MS + 12_000,
    rowId: `outflow:eip155:1:0x${'9d'.repeat(32)}:log:3`,
    text: 'limit wallet-hour on wallet:eth-hot-1: $7,820,500 in 1h of $2,500,000 allowed',
    notional: 400_000_000_000n,
    limit: { limitId: 'wallet-hour', used: 7_820_500_000_000n, allowed: 2_500_000_000_000n },
  },
];

export const TRIPPED: Incident = {
  incidentId: '1HA4VYR80K2M3',
  scope: 'key-domain:hot-vault',
  epoch: 1,
  openedAtMs: OPENED_MS,
  first: UNMATCHED,
  policyVersion: 3,
  state: 'open',
};

export const ISOLATED: Incident = {
  incidentId: '1HA4W5T20QRST',
  scope: 'destination:eip155:1:0x2222222222222222222222222222222222222222',
  epoch: 1,
  openedAtMs: OPENED_MS + 300_000,
  first: {
    kind: 'operator',
    atMs: OPENED_MS + 300_000,
    rowId: 'command:6f9619ff-8b86-d011-b42d-00c04fc964ff',
    text: 'paused by arn:aws:sts::123456789012:assumed-role/oncall/ada: \u001b[2Jlooks like the thief',
    notional: 0n,
    actor: 'arn:aws:sts::123456789012:assumed-role/oncall/ada',
  },
  policyVersion: 3,
  state: 'open',
};

export const CLOSED: Incident = {
  ...TRIPPED,
  incidentId: '1HA2XXXXXXXXX',
  openedAtMs: OPENED_MS - 86_400_000,
  first: { ...UNMATCHED, atMs: OPENED_MS - 86_400_000 },
  state: 'closed',
  closed: {
    atMs: OPENED_MS - 79_380_000,
    actor: 'arn:aws:iam::123456789012:user/grace',
    reason: 'keys moved to cold storage',
  },
};

export const ENABLED: Status = {
  atMs: NOW_MS,
  policy: {
    name: 'starter',
    version: 3,
    hash: '0c5f41a6d7a09a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293',
    mode: 'enforce',
    resume: 'trial',
  },
  open: [],
  chains: [
    { chain: 'eip155:1', inForce: true, untilMs: NOW_MS + 42_500, watched: false },
    {
      chain: 'bip122:000000000019d6689c085ae165831e93',
      inForce: true,
      untilMs: NOW_MS + 42_500,
      watched: true,
    },
  ],
  heartbeat: { sentAtMs: NOW_MS - 2_100, receivedAtMs: NOW_MS - 1_960, oldestWaitingMs: 120 },
  summary: 'enabled',
};

export const PAUSED: Status = { ...ENABLED, open: [ISOLATED, TRIPPED], summary: 'paused' };

export const LAPSED: Status = {
  ...ENABLED,
  chains: [
    { chain: 'eip155:1', inForce: false, untilMs: NOW_MS - 61_000, watched: false },
    { chain: 'bip122:000000000019d6689c085ae165831e93', inForce: false, watched: false },
  ],
  summary: 'lapsed',
};

export const NO_POLICY: Status = {
  atMs: NOW_MS,
  policy: { name: 'none', version: 0, hash: '', mode: 'enforce', resume: 'trial' },
  open: [],
  chains: [],
  summary: 'no-policy',
};

/** One limit's line; quantities in USD where the metric is notional. */
export function line(parameters: Partial<Line> & Pick<Line, 'limitId' | 'scope'>): Line {
  return {
    metric: 'notional',
    window: '1h',
    used: '0',
    limit: '2500000000000',
    headroom: '2500000000000',
    usedText: '$0.00',
    limitText: '$2,500,000',
    headroomText: '$2,500,000',
    usedBps: 0,
    mode: 'enforce',
    ...parameters,
  };
}

export const LIMITS: Report = {
  lines: [
    line({
      limitId: 'all-hour',
      scope: 'global',
      limit: '5000000000000',
      limitText: '$5,000,000',
      used: '3372500000000',
      usedText: '$3,372,500',
      headroom: '1627500000000',
      headroomText: '$1,627,500',
      usedBps: 6_745,
    }),
    line({
      limitId: 'all-count',
      scope: 'global',
      metric: 'count',
      window: '15m',
      used: '0',
      limit: '250',
      limitText: '250',
      headroom: '250',
      headroomText: '250',
      usedText: '0',
    }),
    line({
      limitId: 'wallet-hour',
      scope: 'wallet:eth-hot-1',
      used: '7820500000000',
      usedText: '$7,820,500',
      headroom: '0',
      headroomText: '$0.00',
      usedBps: 31_282,
    }),
    line({
      limitId: 'wallet-day-that-has-a-very-long-name',
      scope: 'wallet:eth-hot-1',
      window: '24h',
      used: '2500000000000',
      usedText: '$2,500,000',
      headroom: '0',
      headroomText: '$0.00',
      usedBps: 10_000,
    }),
    line({
      limitId: 'wallet-single',
      scope: 'wallet:eth-hot-1',
      metric: 'single',
      window: '',
      limitText: '$750,000',
    }),
    line({
      limitId: 'eth-tokens-hour',
      scope: 'wallet-asset:eth-hot-1|eip155:1/slip44:60',
      metric: 'amount',
      limit: '1500000000000000000000',
      limitText: '1500 ETH',
      used: '1275123400000000000000',
      usedText: '1275.1234 ETH',
      headroom: '224876600000000000000',
      headroomText: '224.8766 ETH',
      usedBps: 8_500,
      mode: 'shadow',
    }),
  ],
  truncated: false,
};
