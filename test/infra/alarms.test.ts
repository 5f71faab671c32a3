import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NAMESPACE } from '../../lib/infra/measured.ts';
import * as Metrics from '../../lib/runtime/metrics.ts';
import { NOTICED } from '../fault-matrix/noticed.ts';
import { resourcesOf, shortOf, synthesized } from './synthesized.ts';

const template = synthesized({ watch: { rpcSecretName: 'breakwater/rpc' } });
const alarms = Object.entries(resourcesOf(template, 'AWS::CloudWatch::Alarm')).map(
  ([name, { Properties }]) => ({ name: name.replace(/^Alarms/, ''), ...Properties }),
) as readonly (Readonly<Record<string, unknown>> & { readonly name: string })[];
const folder = join(import.meta.dirname, '..', '..', 'docs', 'runbooks');
const runbookOf = (alarm: (typeof alarms)[number]) =>
  /Runbook: docs\/runbooks\/([a-z-]+)\.md$/.exec(String(alarm.AlarmDescription))?.[1] ?? '';
/** The label of what an alarm computes from several metrics. */
const computedOf = ({ Metrics }: (typeof alarms)[number]) =>
  (Metrics as readonly { readonly Label?: string }[]).find(({ Label }) => Label)?.Label;

describe('VitalAlarms', () => {
  test('default: each with its severity, its threshold and its own answer to missing data; H89', () => {
    const rows = alarms.map((alarm) => {
      const [severity] = /^\[\w+\]/.exec(String(alarm.AlarmDescription)) ?? [];
      const sign = alarm.ComparisonOperator === 'GreaterThanThreshold' ? '>' : '<=';
      const what = alarm.MetricName ?? computedOf(alarm);
      const { EvaluationPeriods: of, DatapointsToAlarm: bad } = alarm;
      const periods = of === 1 ? '' : ` for ${bad === of ? of : `${bad} of ${of}`}`;
      return `${severity} ${alarm.name}: ${what} ${sign} ${alarm.Threshold}${periods}, no data ${alarm.TreatMissingData} → ${shortOf(alarm.AlarmActions)}`;
    });
    expect(rows).toMatchInlineSnapshot(`
      [
        "[page] Tripped: Tripped > 0, no data notBreaching → AlertsAlert",
        "[notice] Paused: Paused > 0, no data notBreaching → AlertsNotice",
        "[page] PoisonParked: Parked > 0, no data notBreaching → AlertsAlert",
        "[notice] PolicyChanged: PolicyChanged > 0, no data notBreaching → AlertsNotice",
        "[page] PanicKeyUsed: Alerts > 0, no data notBreaching → AlertsAlert",
        "[page] ClockDeviation: ClockDeviations > 0, no data notBreaching → AlertsAlert",
        "[page] LeaseLapsed: LeaseLeftMs <= 0 for 2, no data breaching → AlertsAlert",
        "[page] HeartbeatLate: HeartbeatAgeMs > 30000 for 2, no data breaching → AlertsAlert",
        "[page] OldestEvent: OldestEventMs > 30000, no data notBreaching → AlertsAlert",
        "[page] EventsWaiting: ApproximateAgeOfOldestMessage > 30 for 2, no data notBreaching → AlertsAlert",
        "[page] EventsUncounted: ApproximateNumberOfMessagesVisible > 0, no data notBreaching → AlertsAlert",
        "[notice] EventsRejected: ApproximateNumberOfMessagesVisible > 0, no data notBreaching → AlertsNotice",
        "[page] ProjectionsFailed: ApproximateNumberOfMessagesVisible > 0, no data notBreaching → AlertsAlert",
        "[page] CommandsFailed: ApproximateNumberOfMessagesVisible > 0, no data notBreaching → AlertsAlert",
        "[page] ReserveErrors: Errors > 0, no data notBreaching → AlertsAlert",
        "[notice] CloseErrors: Errors > 0, no data notBreaching → AlertsNotice",
        "[page] ProjectionErrors: Errors > 0, no data notBreaching → AlertsAlert",
        "[page] ProjectionBehind: IteratorAge > 30000, no data notBreaching → AlertsAlert",
        "[page] ReservationsFail: undecided, % > 50 for 2 of 3, no data notBreaching → AlertsAlert",
        "[page] TablesThrottled: throttled > 0, no data notBreaching → AlertsAlert",
        "[page] FunctionsThrottled: throttled > 0, no data notBreaching → AlertsAlert",
        "[notice] Conflicts: TransactionConflict > 500, no data notBreaching → AlertsNotice",
        "[page] WatcherBehind: BlindChains > 0 for 2, no data ignore → AlertsAlert",
        "[notice] WatcherErrors: Errors > 0, no data notBreaching → AlertsNotice",
        "[page] DrillFailed: DrillFailures > 0, no data notBreaching → AlertsAlert",
        "[page] DrillSlow: DrillVerifiedMs > 30000, no data notBreaching → AlertsAlert",
        "[page] DrillMissing: DrillSuccesses <= 0 for 7, no data breaching → AlertsAlert",
      ]
    `);
  });

  test('behavior: ReservationsFail is the share of what no rule refused, minute by minute', () => {
    const [alarm] = alarms.filter(({ name }) => name === 'ReservationsFail');
    const queries = (alarm?.Metrics ?? []) as readonly Readonly<Record<string, unknown>>[];
    const rows = queries.map((query) => {
      const { Expression, MetricStat } = query;
      const { Metric, Period, Stat } = (MetricStat ?? {}) as {
        readonly Metric?: { readonly MetricName: string };
        readonly Period?: number;
        readonly Stat?: string;
      };
      return `${query.Id}: ${Expression ?? `${Stat} of ${Metric?.MetricName} in ${Period} s`}`;
    });
    expect(rows).toMatchInlineSnapshot(`
      [
        "expr_1: IF(undecided > 0, 100 * undecided / (allowed + undecided), 0)",
        "undecided: Sum of Undecided in 60 s",
        "allowed: Sum of Allowed in 60 s",
      ]
    `);
  });

  test('behavior: every alarm that the fault matrix relies on is deployed', () => {
    const deployed = alarms.map(({ name }) => name);
    const relied = Object.values(NOTICED).flatMap((row) =>
      Object.values(row).flatMap((notice) => notice.alarms),
    );
    expect(deployed).toEqual(expect.arrayContaining(relied));
  });

  test('behavior: each tells when it is over, to the same people', () => {
    for (const alarm of alarms) expect(alarm.OKActions).toEqual(alarm.AlarmActions);
  });

  test('behavior: what reports a silent meter is not healthy when it is silent; H31', () => {
    const of = (name: string) => alarms.find((alarm) => alarm.name === name)?.TreatMissingData;
    expect(['LeaseLapsed', 'HeartbeatLate'].map(of)).toEqual(['breaching', 'breaching']);
  });

  test('behavior: each has a runbook of one page that begins with the command to run', () => {
    for (const alarm of alarms) {
      const file = join(folder, `${runbookOf(alarm)}.md`);
      expect(existsSync(file), alarm.name).toBe(true);
      const text = readFileSync(file, 'utf8');
      expect(text, file).toMatch(/^# [^\n]+\n\n```sh\n(breakwater|aws) [^\n]+\n```\n/);
      expect(text.split('\n').length, file).toBeLessThan(40);
      expect(text, `${file} names ${alarm.name}`).toContain(alarm.name);
    }
  });

  test('behavior: no runbook is left over', () => {
    const used = new Set(alarms.map(runbookOf));
    const written = readdirSync(folder).filter((name) => name !== 'README.md');
    expect(written.filter((name) => !used.has(name.replace('.md', '')))).toEqual([]);
  });

  test('behavior: functions and alarms speak of the same namespace', () => {
    expect(NAMESPACE).toBe(Metrics.NAMESPACE);
  });

  test('args: runbooks', () => {
    const linked = synthesized({ runbooks: 'https://wiki.example.com/breakwater' });
    const { AlarmsTripped } = resourcesOf(linked, 'AWS::CloudWatch::Alarm');
    expect(AlarmsTripped?.Properties.AlarmDescription).toContain(
      'Runbook: https://wiki.example.com/breakwater/tripped.md',
    );
  });
});

describe('BreakwaterDashboard', () => {
  test('default: outflow against limits, decisions, latency, incidents', () => {
    const [dashboard] = Object.values(resourcesOf(template, 'AWS::CloudWatch::Dashboard'));
    const body = shortOf(dashboard?.Properties.DashboardBody);
    const titles = [...body.matchAll(/"title":"([^"]+)"/g)].map(([, title]) => title);
    expect(titles).toMatchInlineSnapshot(`
      [
        "What is wrong",
        "Outflow against limits, % used",
        "Decisions",
        "Latency",
        "Incidents",
        "Proof of health",
        "Drills",
      ]
    `);
    expect(dashboard?.Properties.DashboardName).toBe('Breakwater');
    const shown = ['LimitUsedPercent', 'Allowed', 'Undecided', 'ReserveMs', 'Tripped'];
    for (const name of [...shown, 'HeartbeatAgeMs']) {
      expect(body).toContain(name);
    }
  });
});
