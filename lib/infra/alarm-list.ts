import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { measured } from './measured.ts';
import type { AlarmSpec } from './vital-alarms.ts';

/** What the alarms watch. */
export type AlarmParts = {
  readonly tables: { readonly ledger: Table; readonly control: Table };
  readonly queues: {
    readonly events: Queue;
    readonly deadLetters: Queue;
    readonly rejects: Queue;
    readonly failedProjections: Queue;
    readonly failedCommands: Queue;
  };
  readonly functions: {
    readonly projection: BreakwaterFunction;
    readonly reserve: BreakwaterFunction;
    readonly close: BreakwaterFunction;
    /** Every function, for throttles. */
    readonly all: readonly BreakwaterFunction[];
    /** Absent where no chain is watched. */
    readonly watcher?: BreakwaterFunction | undefined;
    /** Absent where no drill is scheduled. */
    readonly drill?: BreakwaterFunction | undefined;
  };
  /** Longest that a drill may take until the pause is read back at the consumer. */
  readonly drillObjective: Duration;
};

type Specs = Readonly<Record<string, AlarmSpec>>;

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);
/** The flag must follow a trip in seconds. Half a minute behind is a projection that stands still. */
const BEHIND_MAX_MS = 30_000;
/** As `WAITING_MAX_MS` of the domain: an event that is older keeps the leases from being renewed. */
const WAITING_MAX_MS = 30_000;
/** Contention costs retries, not correctness; this many in five minutes cost withdrawals. */
const CONFLICTS_MAX = 500;
/**
 * Of what no rule refused, this much may be refused because something failed: a key, a table or a clock
 * that is down refuses all of it, a burst that is throttled only some seconds of a minute.
 */
const UNDECIDED_MAX_PERCENT = 50;
/** Every seven days holds one weekly drill. */
const DRILL_DAYS = 7;

/** All alarms by id, in the order of their runbooks. */
export function alarmsOf(scope: Construct, parts: AlarmParts): Specs {
  return {
    ...ofBreakers(scope),
    ...ofHealth(scope, parts),
    ...ofQueues(parts),
    ...ofFunctions(parts),
    ...ofReservations(scope),
    ...ofLoad(parts),
    ...(parts.functions.watcher && ofWatcher(scope, parts.functions.watcher)),
    ...(parts.functions.drill && ofDrill(scope, parts)),
  };
}

// Counts of what happened: no data is the usual case, nothing happened.
function ofBreakers(scope: Construct): Specs {
  const happened = (name: string, dimensions = {}) => ({
    metric: measured(scope, { name, statistic: 'Sum', dimensions }),
    above: 0,
    missing: 'notBreaching' as const,
  });
  return {
    Tripped: {
      ...happened('Tripped'),
      severity: 'page',
      runbook: 'tripped',
      meaning: 'A breaker opened by itself: withdrawals of its scope are not enabled.',
    },
    Paused: {
      ...happened('Paused'),
      severity: 'notice',
      runbook: 'tripped',
      meaning: 'A person paused a scope. Whoever it was is named in the incident.',
    },
    PoisonParked: {
      ...happened('Parked'),
      severity: 'page',
      runbook: 'poison-parked',
      meaning: 'An event could not be decided on and is parked; its scope is paused.',
    },
    PolicyChanged: {
      ...happened('PolicyChanged'),
      severity: 'notice',
      runbook: 'policy-changed',
      meaning: 'Another policy is in force. See that it is the one that was meant.',
    },
    PanicKeyUsed: {
      ...happened('Alerts', { kind: 'panic' }),
      severity: 'page',
      runbook: 'panic-key',
      meaning: 'Somebody used a panic key. It can only have tightened; find out why.',
    },
    ClockDeviation: {
      ...happened('ClockDeviations'),
      severity: 'page',
      runbook: 'clock-deviation',
      meaning: 'A clock is off by more than two seconds; what was decided by it was refused.',
    },
  };
}

function ofHealth(scope: Construct, { queues }: AlarmParts): Specs {
  return {
    // Told by tick every few seconds. Silence is a tick that does not run, which is what lapses leases.
    LeaseLapsed: {
      severity: 'page',
      metric: measured(scope, { name: 'LeaseLeftMs', statistic: 'Minimum' }),
      atMost: 0,
      periods: 2,
      missing: 'breaching',
      runbook: 'lease-lapsed',
      meaning: 'The flag of at least one chain is not in force: nothing there is enabled.',
    },
    HeartbeatLate: {
      severity: 'page',
      metric: measured(scope, { name: 'HeartbeatAgeMs', statistic: 'Maximum' }),
      above: WAITING_MAX_MS,
      periods: 2,
      missing: 'breaching',
      runbook: 'heartbeat-late',
      meaning: 'Heartbeats do not come through the ingress: events may not be counted.',
    },
    // Measured by ingest from the sent time: the queue's own age is a minute late. Silence: no events.
    OldestEvent: {
      severity: 'page',
      metric: measured(scope, { name: 'OldestEventMs', statistic: 'Maximum' }),
      above: WAITING_MAX_MS,
      missing: 'notBreaching',
      runbook: 'oldest-event',
      meaning: 'Events waited over 30 s before they were counted.',
    },
    // What ingest cannot measure because it does not run. An empty queue sends nothing.
    EventsWaiting: {
      severity: 'page',
      metric: queues.events.metricApproximateAgeOfOldestMessage({ period: MINUTE }),
      above: WAITING_MAX_MS / 1_000,
      periods: 2,
      missing: 'notBreaching',
      runbook: 'oldest-event',
      meaning: 'An event has waited over 30 s and is not counted yet.',
    },
  };
}

// An idle queue stops to send data, a queue that holds a message does not: silence is emptiness.
function ofQueues({ queues }: AlarmParts): Specs {
  const holds = (queue: Queue) => ({
    metric: queue.metricApproximateNumberOfMessagesVisible({
      period: MINUTE,
      statistic: 'Maximum',
    }),
    above: 0,
    missing: 'notBreaching' as const,
  });
  return {
    EventsUncounted: {
      ...holds(queues.deadLetters),
      severity: 'page',
      runbook: 'dead-letters',
      meaning:
        'Events could not be counted and lie in the dead-letter queue. Leases are not renewed until they are sent on or cleared by a person.',
    },
    EventsRejected: {
      ...holds(queues.rejects),
      severity: 'notice',
      runbook: 'events-rejected',
      meaning:
        'A producer sends events that cannot be parsed; none was counted, nobody is paused. Each message of the reject queue holds the event and the reason.',
    },
    ProjectionsFailed: {
      ...holds(queues.failedProjections),
      severity: 'page',
      runbook: 'projection',
      meaning: 'project-state gave up on a change: a page may be missing.',
    },
    CommandsFailed: {
      ...holds(queues.failedCommands),
      severity: 'page',
      runbook: 'commands-failed',
      meaning: 'A command of the control topic was not carried out.',
    },
  };
}

// Silent while nobody reserves or tells an outcome, and while nothing changes in the Control table.
function ofFunctions({ functions }: AlarmParts): Specs {
  const { projection } = functions;
  const shared = { severity: 'page', missing: 'notBreaching', runbook: 'projection' } as const;
  return {
    ReserveErrors: {
      severity: 'page',
      metric: functions.reserve.fn.metricErrors({ period: MINUTE, statistic: 'Sum' }),
      above: 0,
      missing: 'notBreaching',
      runbook: 'reserve-errors',
      meaning: 'reserve-withdrawal failed: callers take it as not approved.',
    },
    CloseErrors: {
      severity: 'notice',
      metric: functions.close.fn.metricErrors({ period: MINUTE, statistic: 'Sum' }),
      above: 0,
      missing: 'notBreaching',
      runbook: 'close-errors',
      meaning: 'close-withdrawal failed: outcomes are not recorded, and what was charged stays so.',
    },
    ProjectionErrors: {
      ...shared,
      metric: projection.fn.metricErrors({ period: MINUTE, statistic: 'Sum' }),
      above: 0,
      meaning: 'project-state failed: flags and alerts may be behind the breakers.',
    },
    ProjectionBehind: {
      ...shared,
      metric: projection.fn.metric('IteratorAge', { period: MINUTE, statistic: 'Maximum' }),
      above: BEHIND_MAX_MS,
      meaning: 'project-state is behind its stream: alerts come late.',
    },
  };
}

// A share, not a count: where one withdrawal comes a minute no count would be reached, and where a
// thousand come some always meet and are asked again. What a rule refuses is left out, or a paused
// scope would hide that all others fail. Two of three minutes: in steady traffic a burst would have to
// last over a minute in all, while what is down pages after its second whole minute, or the third where
// one between is without a reservation.
function ofReservations(scope: Construct): Specs {
  const sum = (name: string) => measured(scope, { name, statistic: 'Sum' });
  return {
    ReservationsFail: {
      severity: 'page',
      metric: new MathExpression({
        expression: 'IF(undecided > 0, 100 * undecided / (allowed + undecided), 0)',
        usingMetrics: { undecided: sum('Undecided'), allowed: sum('Allowed') },
        period: MINUTE,
        label: 'undecided, %',
      }),
      above: UNDECIDED_MAX_PERCENT,
      periods: 3,
      bad: 2,
      missing: 'notBreaching',
      runbook: 'reservations-fail',
      meaning:
        'Most withdrawals are refused because something a reservation needs fails (KMS, DynamoDB, a clock), not by a rule.',
    },
  };
}

// DynamoDB and Lambda send these only when they throttle.
function ofLoad({ tables, functions }: AlarmParts): Specs {
  const shared = { missing: 'notBreaching' as const, above: 0 };
  const throttlesOf = (table: Table) =>
    ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) =>
      table.metric(name, { period: FIVE_MINUTES, statistic: 'Sum' }),
    );
  const tablesThrottle = [...throttlesOf(tables.ledger), ...throttlesOf(tables.control)];
  const functionsThrottle = functions.all.map((one) =>
    one.fn.metricThrottles({ period: FIVE_MINUTES, statistic: 'Sum' }),
  );
  return {
    TablesThrottled: {
      ...shared,
      severity: 'page',
      metric: sumOf(tablesThrottle),
      runbook: 'throttles',
      meaning: 'DynamoDB throttles: reservations are blocked, events wait.',
    },
    FunctionsThrottled: {
      ...shared,
      severity: 'page',
      metric: sumOf(functionsThrottle),
      runbook: 'throttles',
      meaning: 'Lambda throttles: the concurrency of a function or of the account is used up.',
    },
    Conflicts: {
      ...shared,
      severity: 'notice',
      metric: tables.ledger.metric('TransactionConflict', {
        period: FIVE_MINUTES,
        statistic: 'Sum',
      }),
      above: CONFLICTS_MAX,
      runbook: 'conflicts',
      meaning: 'Many decisions meet on one meter and are made again.',
    },
  };
}

function ofWatcher(scope: Construct, watcher: BreakwaterFunction): Specs {
  return {
    // Told by tick, whose silence HeartbeatLate and LeaseLapsed tell already: it keeps its state then.
    WatcherBehind: {
      severity: 'page',
      metric: measured(scope, { name: 'BlindChains', statistic: 'Maximum' }),
      above: 0,
      periods: 2,
      missing: 'ignore',
      runbook: 'watcher-behind',
      meaning: 'Nobody sees a chain that the policy wants to be watched: it gets no lease.',
    },
    WatcherErrors: {
      severity: 'notice',
      metric: watcher.fn.metricErrors({ period: MINUTE, statistic: 'Sum' }),
      above: 0,
      missing: 'notBreaching',
      runbook: 'watcher-behind',
      meaning: 'watch-chain failed: the chains get no lease while nobody sees them.',
    },
  };
}

function ofDrill(scope: Construct, { drillObjective }: AlarmParts): Specs {
  const day = Duration.days(1);
  return {
    DrillFailed: {
      severity: 'page',
      metric: measured(scope, { name: 'DrillFailures', statistic: 'Sum' }),
      above: 0,
      missing: 'notBreaching',
      runbook: 'drill-failed',
      meaning: 'A drill did not end as it must: a real pause may not work either.',
    },
    DrillSlow: {
      severity: 'page',
      metric: measured(scope, { name: 'DrillVerifiedMs', statistic: 'Maximum' }),
      above: drillObjective.toMilliseconds(),
      missing: 'notBreaching',
      runbook: 'drill-failed',
      meaning: 'A drill took longer than the objective until its pause was read back.',
    },
    // A drill that does not run proves nothing: a week without a success is a failure.
    DrillMissing: {
      severity: 'page',
      metric: measured(scope, { name: 'DrillSuccesses', statistic: 'Sum', period: day }),
      atMost: 0,
      periods: DRILL_DAYS,
      missing: 'breaching',
      runbook: 'drill-failed',
      meaning: 'No drill has succeeded for a week.',
    },
  };
}

function sumOf(metrics: readonly IMetric[]): IMetric {
  const names = metrics.map((_, position) => `m${position}`);
  return new MathExpression({
    expression: names.map((name) => `FILL(${name}, 0)`).join(' + '),
    usingMetrics: Object.fromEntries(metrics.map((metric, at) => [names[at] ?? '', metric])),
    period: FIVE_MINUTES,
    label: 'throttled',
  });
}
