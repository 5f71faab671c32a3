/** Bus, queues and topics of the embedded runtime, wired as the constructs wire them on AWS. */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../ports.ts';
import { type Bus, createBus } from './bus.ts';
import { createQueue, type Queue } from './queue.ts';
import { createTopic, type Topic } from './topic.ts';

/** The services, not yet connected to the functions. */
export type Services = {
  readonly bus: Bus;
  readonly events: Queue;
  readonly deadLetters: Queue;
  readonly rejects: Queue;
  readonly alerts: Topic;
  readonly control: Topic;
  /** Stops all; what the queues hold stays in their journals. */
  readonly stop: () => Promise<void>;
};

/** Messages in one invocation of the ingest, as the event source mapping has it. */
const BATCH_MAX = 25;
/** Receives before a message counts as dead. */
const RECEIVES_MAX = 30;
/** Wait before a message comes again that failed more often than the ingest asks for it at once, ms. */
const VISIBILITY_MS = 90_000;

/**
 * Makes the services. What a queue took survives a kill. Each queue is put on `ending` as soon as it
 * is open, so that the caller can end it also when a later one cannot be opened.
 */
export async function createServices(parameters: {
  readonly folder: string;
  readonly clock: Clock;
  readonly onError: (where: string, error: unknown) => void;
  /** What has to be ended, in reverse order. */
  readonly ending: (() => Promise<void>)[];
}): Promise<Services> {
  const { folder: journal, clock, onError, ending } = parameters;
  const newId = randomUUID;
  const queue = async (name: string, more: Partial<Parameters<typeof createQueue>[0]> = {}) => {
    const onFailure = (error: unknown) => onError(name, error);
    const opened = await createQueue({ name, clock, newId, journal, onError: onFailure, ...more });
    ending.push(opened.stop);
    return opened;
  };
  const deadLetters = await queue('events-dead');
  const rejects = await queue('events-rejected');
  const events = await queue('events', {
    batchMax: BATCH_MAX,
    maxReceiveCount: RECEIVES_MAX,
    visibilityMs: VISIBILITY_MS,
    deadLetter: deadLetters,
  });
  const bus = createBus({ name: 'breakwater', clock, newId, rules: [{ target: events.send }] });
  const topic = (name: string) =>
    createTopic({ name, clock, newId, onFailure: ({ reason }) => onError(name, reason) });
  const alerts = topic('alerts');
  const control = topic('control');
  const stop = async () => {
    await events.stop();
    await Promise.all([deadLetters.stop(), rejects.stop(), alerts.stop(), control.stop()]);
  };
  return { bus, events, deadLetters, rejects, alerts, control, stop };
}
