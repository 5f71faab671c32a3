/** The way to the embedded runtime: its HTTP endpoint on this machine. */

import * as z from 'zod/mini';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../local/local-account.ts';
import { ACCEPTED, REJECTED } from './answers.ts';
import { EXIT, StoppedError } from './exit-code.ts';
import { type EventToSend, post, type Tables, type Transport } from './transport.ts';

/** Longest wait for the names of the tables, ms. */
const TABLES_MAX_MS = 5_000;
const TABLES = z.object({ endpoint: z.string(), ledger: z.string(), control: z.string() });
/** Events in one request: the longest ones stay below the 256 KiB that the runtime takes. */
const EVENTS_MAX = 25;

/**
 * A transport to an embedded runtime.
 *
 * @param at.hint what to do when nobody answers there.
 */
export function createLocalTransport(at: { readonly url: URL; readonly hint: string }): Transport {
  const { url, hint } = at;
  const target = url.origin;
  const postTo = (path: string, body: unknown) =>
    post({ url: new URL(path, url), body: JSON.stringify(body), target, hint });
  return {
    target,
    ask: (request) => postTo('/commands', request),
    eventsMax: EVENTS_MAX,
    send: async (events) => {
      const answer = await postTo('/events', events);
      const accepted = ACCEPTED.safeParse(answer.body);
      const isWhole = accepted.success && accepted.data.accepted === events.length;
      if (answer.status === 202 && isWhole) return;
      throw refusal(answer, events);
    },
    tables: () => readTables(new URL('/tables', url), target),
  };
}

async function readTables(url: URL, target: string): Promise<Tables> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TABLES_MAX_MS) })
    .then((response) => response.json())
    .catch(() => undefined);
  const reading = TABLES.safeParse(answer);
  if (!reading.success) {
    throw new StoppedError({
      exitCode: EXIT.unreachable,
      message: `${target} does not say where its tables are.`,
      hint: 'Start one with `breakwater local`, or name another with --url URL or --stack NAME.',
    });
  }
  const { ledger, control, endpoint } = reading.data;
  const client = { endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS };
  return { ledger, control, client };
}

function refusal(
  answer: { readonly status: number; readonly body: unknown },
  events: readonly EventToSend[],
): StoppedError {
  const rejected = REJECTED.safeParse(answer.body);
  if (answer.status === 400 && rejected.success) {
    const problems = (rejected.data.problems ?? []).map((problem) =>
      typeof problem === 'string' ? problem : JSON.stringify(problem),
    );
    const message = [`The runtime refused the events: ${rejected.data.error}`, ...problems];
    return new StoppedError({ exitCode: EXIT.usage, message: message.join('\n  ') });
  }
  return new StoppedError({
    exitCode: EXIT.unreachable,
    message: `The runtime did not take ${events.length} events (HTTP ${answer.status}).`,
    hint: 'Look at its log, then send the same again: an event counts once.',
  });
}
