/**
 * What a Breakwater costs a month, from what a withdrawal was measured to use and what AWS asks for it.
 * Prints the tables of `docs/cost.md`; `npm run cost -- --write` writes them there.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** US dollars in us-east-1, without the free tier. Where each comes from stands in `docs/cost.md`. */
const PRICE = {
  writeUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  storedGbMonth: 0.25,
  backupGbMonth: 0.2,
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1e6,
  busEvent: 1 / 1e6,
  queueRequest: 0.4 / 1e6,
  keyMonth: 1,
  signature: 0.15 / 1e4,
  alarmMetricMonth: 0.1,
  metricMonth: 0.3,
  dashboardMonth: 3,
  logGb: 0.5,
  trace: 5 / 1e6,
} as const;

/** Measured: `docs/benchmarks.md` names the command of each. */
const MEASURED = {
  /** A reservation that is admitted, alone: row, eight items, its place among the open ones. */
  reserveAloneUnits: 19,
  /** The same asked with 24 others of other customers, by the client library. */
  reserveBatchedUnits: 9.04,
  /** Its outflow, which meets it. */
  matchUnits: 7.95,
  /** Strong reads of a reservation (row, ends, eight items), of its outflow and of the flag before it is signed. */
  reserveReads: 10,
  matchReads: 11,
  flagReads: 10,
} as const;

/** Assumed; change them to yours. */
const ASSUMED = {
  daysAMonth: 30.4,
  /** One call reserves this many: the client library sends what waits together, or each alone. */
  functionSeconds: 0.06,
  eventsPerBatch: 5,
  rowBytes: 1_400,
  monthsKept: 12,
  logBytesPerWithdrawal: 2_500,
} as const;

/** What runs whether anybody withdraws or not. */
const FIXED = {
  /** Every five seconds, and one more: heartbeat, lease, what is held. */
  tickRoundsAMinute: 13,
  tickWriteUnits: 5,
  tickReadUnits: 22,
  /** It loops through its minute, with 1 GB. */
  tickSecondsAMinute: 66,
  watchSecondsAMinute: 58,
  pollsAMinute: 15,
  /** Of 27 alarms, with a watched chain; those on throttles and on reservations have several each. */
  alarmMetrics: 38,
  metrics: 46,
  /** Tables, topics, admissions and the audit chain. */
  keys: 4,
  logBytesPerRound: 900,
} as const;

const MINUTES_A_MONTH = ASSUMED.daysAMonth * 24 * 60;

type Lines = Readonly<Record<string, number>>;

/** What nobody's withdrawals change. */
function fixed(): Lines {
  const rounds = FIXED.tickRoundsAMinute * MINUTES_A_MONTH;
  const { writeUnit, readUnit, lambdaGbSecond, lambdaRequest } = PRICE;
  return {
    'tick: DynamoDB': rounds * (FIXED.tickWriteUnits * writeUnit + FIXED.tickReadUnits * readUnit),
    'tick: Lambda': MINUTES_A_MONTH * (FIXED.tickSecondsAMinute * lambdaGbSecond + lambdaRequest),
    'heartbeats: bus, queue, ingest':
      rounds * (PRICE.busEvent + 3 * PRICE.queueRequest + 0.02 * lambdaGbSecond + lambdaRequest) +
      FIXED.pollsAMinute * MINUTES_A_MONTH * PRICE.queueRequest,
    'CloudWatch: alarms, metrics, dashboard':
      FIXED.alarmMetrics * PRICE.alarmMetricMonth +
      FIXED.metrics * PRICE.metricMonth +
      PRICE.dashboardMonth,
    'logs of tick and ingest': ((rounds * FIXED.logBytesPerRound) / 1e9) * PRICE.logGb,
    'KMS keys': FIXED.keys * PRICE.keyMonth,
    'watch-chain: Lambda (only where chains are watched)':
      MINUTES_A_MONTH * (FIXED.watchSecondsAMinute * lambdaGbSecond + lambdaRequest),
  };
}

/** What a number of withdrawals a day adds. */
function byWithdrawals(
  perDay: number,
  reserve: { readonly units: number; readonly perCall: number },
): Lines {
  const month = perDay * ASSUMED.daysAMonth;
  const { lambdaGbSecond, lambdaRequest } = PRICE;
  const calls = month / reserve.perCall + month / ASSUMED.eventsPerBatch;
  const storedGb = (perDay * 365 * ASSUMED.rowBytes * (ASSUMED.monthsKept / 12)) / 1e9;
  const reads = MEASURED.reserveReads + MEASURED.matchReads + MEASURED.flagReads;
  const tracedAtMost = ASSUMED.daysAMonth * 86_400 + 0.05 * calls;
  return {
    'DynamoDB writes': month * (reserve.units + MEASURED.matchUnits) * PRICE.writeUnit,
    'DynamoDB reads': month * reads * PRICE.readUnit,
    [`DynamoDB storage and recovery after ${ASSUMED.monthsKept} months`]:
      storedGb * (PRICE.storedGbMonth + PRICE.backupGbMonth),
    Lambda: calls * (ASSUMED.functionSeconds * lambdaGbSecond + lambdaRequest),
    'bus and queue': month * (PRICE.busEvent + 3 * PRICE.queueRequest),
    'KMS signatures': month * PRICE.signature,
    logs: ((month * ASSUMED.logBytesPerWithdrawal) / 1e9) * PRICE.logGb,
    traces: Math.min(calls, tracedAtMost) * PRICE.trace,
  };
}

function page(): string {
  const days = [10_000, 100_000, 1_000_000] as const;
  const alone = { units: MEASURED.reserveAloneUnits, perCall: 1 };
  const batched = { units: MEASURED.reserveBatchedUnits, perCall: 25 };
  const dollars = (value: number) => value.toFixed(2);
  const sum = (lines: Lines) => Object.values(lines).reduce((total, one) => total + one, 0);
  const base = fixed();
  const table = (reserve: { readonly units: number; readonly perCall: number }) => {
    const columns = days.map((perDay) => byWithdrawals(perDay, reserve));
    const [first = {}] = columns;
    const line = (name: string) =>
      `| ${name} | ${columns.map((column) => dollars(column[name] ?? 0)).join(' | ')} |`;
    const totals = columns.map((column) => dollars(sum(column) + sum(base)));
    const each = columns.map((column, at) => {
      const cents = ((sum(column) + sum(base)) / ((days[at] ?? 1) * ASSUMED.daysAMonth)) * 100;
      return `${cents.toFixed(4)} ¢`;
    });
    return [
      '| dollars a month | 10,000 a day | 100,000 a day | 1,000,000 a day |',
      '|---|---:|---:|---:|',
      ...Object.keys(first).map(line),
      `| fixed, from above | ${days.map(() => dollars(sum(base))).join(' | ')} |`,
      `| **all** | ${totals.map((one) => `**${one}**`).join(' | ')} |`,
      `| one withdrawal | ${each.join(' | ')} |`,
    ];
  };
  return [
    '## Whether anybody withdraws or not',
    '',
    '| dollars a month | |',
    '|---|---:|',
    ...Object.entries(base).map(([name, value]) => `| ${name} | ${dollars(value)} |`),
    `| **all** | **${dollars(sum(base))}** |`,
    '',
    '## Each withdrawal reserved alone',
    '',
    ...table(alone),
    '',
    '## Reserved in batches of 25 by the client library',
    '',
    ...table(batched),
    '',
  ].join('\n');
}

const MARK = '<!-- from here: npm run cost -- --write -->';
const file = join(import.meta.dirname, '..', 'docs', 'cost.md');
if (process.argv.includes('--write')) {
  const [head = ''] = readFileSync(file, 'utf8').split(MARK);
  writeFileSync(file, `${head}${MARK}\n\n${page()}`);
} else {
  process.stdout.write(page());
}
