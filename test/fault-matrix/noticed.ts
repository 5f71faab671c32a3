/** Who notices a fault: alarms of the deployed stack by name, or whom else. */

import type { Dependency, Fault } from './faults.ts';

/** Alarms that go off, and what is no alarm of ours in words. */
export type Notice = { readonly alarms: readonly string[]; readonly other?: string };

const FAIL = 'ReservationsFail';
const LAPSED = ['LeaseLapsed', 'HeartbeatLate'];

/**
 * By dependency and fault. `ReservationsFail` stands where nothing is decided, at once or when leases
 * have run out. `test/infra/alarms.test.ts` checks that each alarm is deployed.
 */
export const NOTICED: Readonly<Record<Dependency, Readonly<Record<Fault, Notice>>>> = {
  ledger: {
    down: { alarms: [FAIL, ...LAPSED, 'EventsWaiting'] },
    slow: { alarms: [FAIL, 'EventsWaiting', 'DrillSlow'] },
    throttled: { alarms: [FAIL, 'TablesThrottled', ...LAPSED, 'EventsWaiting'] },
    stale: { alarms: [FAIL, 'LeaseLapsed', 'EventsWaiting'] },
    lying: { alarms: ['LeaseLapsed', 'EventsWaiting'] },
  },
  state: {
    down: { alarms: [FAIL, ...LAPSED] },
    slow: { alarms: [FAIL] },
    throttled: { alarms: [FAIL, 'TablesThrottled', ...LAPSED] },
    stale: { alarms: ['LeaseLapsed'] },
    lying: { alarms: ['LeaseLapsed'] },
  },
  stream: {
    down: { alarms: ['ProjectionBehind'] },
    slow: { alarms: ['ProjectionBehind'], other: 'if changes come faster' },
    throttled: { alarms: ['FunctionsThrottled', 'ProjectionBehind'] },
    stale: { alarms: ['ProjectionBehind'] },
    lying: { alarms: [], other: 'nothing to notice: each page is sent once' },
  },
  KMS: {
    down: { alarms: [FAIL] },
    slow: { alarms: [FAIL] },
    throttled: { alarms: [FAIL] },
    stale: { alarms: [FAIL] },
    lying: { alarms: [FAIL] },
  },
  SNS: {
    down: { alarms: ['ProjectionErrors', 'ProjectionBehind'], other: 'in CloudWatch only' },
    slow: { alarms: ['ProjectionBehind'], other: 'if changes come faster' },
    throttled: { alarms: ['ProjectionErrors', 'ProjectionBehind'], other: 'once it lets through' },
    stale: { alarms: [], other: 'a page says when its incident began' },
    lying: { alarms: [], other: 'people, who miss the page of the weekly drill' },
  },
  RPC: {
    down: { alarms: ['WatcherBehind', 'LeaseLapsed'] },
    slow: { alarms: ['WatcherBehind', 'LeaseLapsed'] },
    throttled: { alarms: ['WatcherBehind', 'LeaseLapsed'] },
    stale: { alarms: ['WatcherBehind', 'LeaseLapsed'] },
    lying: { alarms: ['WatcherBehind', 'LeaseLapsed'] },
  },
  clock: {
    down: { alarms: [FAIL, 'ClockDeviation', ...LAPSED] },
    slow: { alarms: [FAIL, 'ClockDeviation', ...LAPSED] },
    throttled: { alarms: [FAIL, 'ClockDeviation', ...LAPSED] },
    stale: { alarms: [FAIL, 'ClockDeviation', ...LAPSED] },
    lying: { alarms: [FAIL, 'ClockDeviation', ...LAPSED] },
  },
};

/** In the table. */
export function noticedText({ alarms, other }: Notice): string {
  return [...alarms.map((name) => `\`${name}\``), ...(other === undefined ? [] : [other])].join(
    ', ',
  );
}
