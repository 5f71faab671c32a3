import { describe, expect, test, vi } from 'vitest';
import type * as Health from '../../lib/domain/health.ts';
import { localContext } from '../../lib/local/context.ts';
import { createMetrics } from '../../lib/runtime/aws-metrics.ts';
import { createLimitsMeasure, measureHealth } from '../../lib/runtime/health-metrics.ts';
import { ingestEvents } from '../../lib/runtime/ingest-events.ts';
import type { Metrics } from '../../lib/runtime/metrics.ts';
import { measureRecord } from '../../lib/runtime/record-metrics.ts';
import { readyWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

type Measured = { readonly [name: string]: number | string };

function noting(): { readonly metrics: Metrics; readonly measured: Measured[] } {
  const measured: Measured[] = [];
  const metrics = {
    measure: (values: Readonly<Record<string, number>>, dimensions = {}) =>
      void measured.push({ ...values, ...dimensions }),
  };
  return { metrics, measured };
}

describe('createMetrics', () => {
  test('default: one line of the embedded metric format, with units from the names', () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      lines.push(String(text));
      return true;
    });
    try {
      createMetrics('cell-a').measure({ HeartbeatAgeMs: 12, Tripped: 1 }, { kind: 'x' });
    } finally {
      write.mockRestore();
    }
    const { _aws, ...values } = JSON.parse(lines.join(''));
    expect(_aws.CloudWatchMetrics).toMatchObject([
      {
        Namespace: 'Breakwater',
        Dimensions: [['service', 'kind']],
        Metrics: [
          { Name: 'HeartbeatAgeMs', Unit: 'Milliseconds' },
          { Name: 'Tripped', Unit: 'Count' },
        ],
      },
    ]);
    expect(values).toMatchObject({ service: 'cell-a', kind: 'x', HeartbeatAgeMs: 12, Tripped: 1 });
  });

  test('behavior: what cannot be written is left out and fails nothing', () => {
    expect(() => createMetrics('cell-a').measure({ '': Number.NaN })).not.toThrow();
  });
});

describe('measureHealth', () => {
  test('default: the shortest lease and the age of the heartbeat; without one no value at all', async () => {
    const { metrics, measured } = noting();
    const { world, clock } = await readyWorld(Build.policy(), () => ({ metrics }));
    const unproven = { kind: 'unproven', why: 'none' } as const;
    await measureHealth(world, unproven);
    clock.nowMs += 2 * 86_400_000;
    await measureHealth(world, { kind: 'healthy', leases: {}, blind: [] } as Health.Proof);
    expect(measured).toEqual([
      { LeaseUnproven: 1, BlindChains: 0, LeaseLeftMs: 86_400_000 },
      { LeaseUnproven: 0, BlindChains: 0, LeaseLeftMs: 0 },
    ]);
  });
});

describe('createLimitsMeasure', () => {
  test('default: each limit at its fullest scope, once a minute', async () => {
    const { metrics, measured } = noting();
    const policy = Build.policy({ limits: [Build.limit()] });
    const { world, clock } = await readyWorld(policy, () => ({ metrics }));
    const measure = createLimitsMeasure(world);
    await measure();
    const once = measured.length;
    expect(once).toBeGreaterThan(0);
    expect(measured.every((one) => typeof one.LimitUsedPercent === 'number' && one.limit)).toBe(
      true,
    );
    await measure();
    expect(measured).toHaveLength(once);
    clock.nowMs += 60_000;
    await measure();
    expect(measured).toHaveLength(2 * once);
  });
});

describe('measureRecord', () => {
  const incident = {
    incidentId: 'I',
    scope: 'global',
    epoch: 1,
    openedAtMs: 1,
    policyVersion: 1,
    state: 'open',
    first: { kind: 'limit', atMs: 1, rowId: 'r', text: 't', notional: 0n },
  } as const;

  test('default: what alarms stand on', () => {
    const { metrics, measured } = noting();
    const parked = { ...incident.first, kind: 'parked' } as const;
    const alert = { alertId: 'a', kind: 'risk', atMs: 1, scope: 'global', rowId: 'r', text: 't' };
    for (const record of [
      { type: 'incident-opened', incident },
      {
        type: 'incident-opened',
        incident: { ...incident, first: { ...parked, kind: 'operator' } },
      },
      { type: 'incident-opened', incident: { ...incident, drill: true } },
      { type: 'incident-opened', incident: { ...incident, overlay: 5_000 } },
      { type: 'cause-added', incidentId: 'I', number: 2, cause: parked },
      { type: 'cause-added', incidentId: 'I', number: 3, cause: incident.first },
      {
        type: 'cause-added',
        incidentId: 'I',
        number: 4,
        cause: { ...incident.first, reopened: 2 },
      },
      { type: 'incident-closed', incident },
      { type: 'incident-closed', incident: { ...incident, drill: true } },
      { type: 'alert-raised', alert: { ...alert, kind: 'risk' } },
      { type: 'alert-raised', alert: { ...alert, kind: 'panic' } },
      { type: 'ignored' },
    ] as const) {
      measureRecord(metrics, record);
    }
    expect(measured).toEqual([
      { Tripped: 1 },
      { Paused: 1 },
      { DrillTripped: 1 },
      { Tightened: 1 },
      { Parked: 1 },
      { Tripped: 1 },
      { Resumed: 1 },
      { DrillReset: 1 },
      { Alerts: 1, kind: 'risk' },
      { Alerts: 1, kind: 'panic' },
    ]);
  });
});

describe('ingestEvents', () => {
  test('behavior: how long the oldest event waited, and what was rejected', async () => {
    const { metrics, measured } = noting();
    const { world, clock } = await readyWorld(Build.policy(), () => ({ metrics }));
    const attributes = { SentTimestamp: String(clock.nowMs - 4_000), ApproximateReceiveCount: '1' };
    const detail = {
      withdrawalId: 'w-1',
      wallet: Build.HOT_1,
      asset: Build.USDC,
      destination: Build.CUSTOMER,
      amount: '1',
    };
    const bodies = [JSON.stringify({ 'detail-type': 'withdrawal.reported', detail }), '{}'];
    const Records = bodies.map((body, at) => ({ messageId: `m${at}`, body, attributes }));
    await ingestEvents(world)({ Records } as never, localContext('ingest-events', 15_000));
    expect(measured).toEqual([
      { EventsDecided: 1, EventsFailed: 0, EventsRejected: 1, OldestEventMs: 4_000 },
    ]);
  });
});
