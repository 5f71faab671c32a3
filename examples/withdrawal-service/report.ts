/** Tells Breakwater what became of withdrawals (docs/events.md). */

import { setTimeout as sleep } from 'node:timers/promises';

/** One event, as it travels. */
export type Event = { readonly 'detail-type': string; readonly detail: unknown };

/** Sends events, all of them or none. Never throws. */
export type Report = (...events: readonly Event[]) => Promise<void>;

const ATTEMPTS_MAX = 5;
const PAUSE_MS = 500;
const TIMEOUT_MS = 2_000;

/**
 * Reports to the embedded runtime; on AWS send the same objects to the event bus. Sending twice is
 * safe: an event counts once. A service in production keeps what is not sent yet in its database.
 */
export function createReport(breakwaterUrl: string, log: (line: string) => void): Report {
  return async (...events) => {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const status = await post(`${breakwaterUrl}/events`, events);
      if (status === 202) return;
      if (attempt < ATTEMPTS_MAX) await sleep(PAUSE_MS);
    }
    log(`not reported: ${events.map((event) => event['detail-type']).join(', ')}`);
  };
}

async function post(url: string, body: unknown): Promise<number | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), signal });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}
