/** The way to the embedded runtime: its HTTP endpoint on this machine. */

import { ACCEPTED, REJECTED } from './answers.ts';
import { EXIT, StoppedError } from './exit-code.ts';
import { type EventToSend, post, type Transport } from './transport.ts';

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
  };
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
