/** Who notices a fault: alarms of the deployed stack by name, or whom else. */

import type { Dependency, Fault } from './faults.ts';

/** Alarms that go off, and what is no alarm of ours in words. */
export type Notice = { readonly alarms: readonly string[]; readonly other?: string };

const callers = 'every caller is refused';
const LAPSED = ['LeaseLapsed', 'HeartbeatLate'];

/** By dependency and fault. `test/infra/alarms.test.ts` checks that each alarm is deployed. */
export const NOTICED: Readonly<Record<Dependency, Readonly<Record<Fault, Notice>>>> = {
  ledger: {
    down: { alarms: [...LAPSED, 'EventsWaiting'] },
    slow: { alarms: ['EventsWaiting', 'DrillSlow'], other: callers },
    throttled: { alarms: ['TablesThrottled', ...LAPSED, 'EventsWaiting'] },
    stale: { alarms: ['LeaseLapsed', 'EventsWaiting'] },
    lying: { alarms: ['LeaseLapsed', 'EventsWaiting'] },
  },
  state: {
    down: { alarms: LAPSED },
    slow: { alarms: [], other: callers },
    throttled: { alarms: ['TablesThrottled', ...LAPSED] },
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
    down: { alarms: [], other: callers },
    slow: { alarms: [], other: callers },
    throttled: { alarms: [], other: callers },
    stale: { alarms: [], other: callers },
    lying: { alarms: [], other: callers },
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
    down: { alarms: ['ClockDeviation', ...LAPSED] },
    slow: { alarms: ['ClockDeviation', ...LAPSED] },
    throttled: { alarms: ['ClockDeviation', ...LAPSED] },
    stale: { alarms: ['ClockDeviation', ...LAPSED] },
    lying: { alarms: ['ClockDeviation', ...LAPSED] },
  },
};

/** In the table. */
export function noticedText({ alarms, other }: Notice): string {
  return [...alarms.map((name) => `\`${name}\``), ...(other === undefined ? [] : [other])].join(
    ', ',
  );
}
