/** A running Breakwater, as a story shows it: what happens on it, and what a second terminal could ask it. */

import type { Message } from '../../domain/page.ts';
import type { Stage } from '../../local/replay/run.ts';
import { createRuntimeStage } from '../../local/replay/runtime-stage.ts';
import { startRuntime } from '../../local/runtime.ts';
import { DEFAULT_URL } from '../connect.ts';
import { createLocalTransport } from '../local-transport.ts';
import type { Transport } from '../transport.ts';
import type { Script } from './script.ts';

/** A scene. */
export type Scene = {
  readonly stage: Stage;
  /** The way that an operator's commands and questions take. */
  readonly transport: Transport;
  /** What operators were sent so far. */
  readonly messages: () => readonly Message[];
  /** Lets health be proven once more. */
  readonly tick: () => Promise<void>;
  /** The scene's time, ms since the epoch. */
  readonly nowMs: () => number;
  /** What a second terminal in the same folder has to add to its commands to get here. */
  readonly address: string;
};

/** Where a scene is set. */
export type Place = { readonly folder?: string | undefined; readonly port?: number | undefined };

/** Opens a scene on the embedded runtime, at the time at which the script begins, and closes it after the work. */
export async function withRuntime<T>(
  script: Script,
  place: Place,
  work: (scene: Scene) => Promise<T>,
): Promise<T> {
  const messages: Message[] = [];
  const runtime = await startRuntime({
    ...place,
    clock: { startMs: script.timeline.startMs, speed: 1 },
    policySource: script.policy.source,
    onPage: (message) => messages.push(message),
  });
  try {
    const url = new URL(runtime.url);
    return await work({
      stage: await createRuntimeStage(runtime),
      transport: createLocalTransport({ url, hint: 'The runtime of this replay has ended.' }),
      messages: () => messages,
      tick: runtime.tick,
      nowMs: runtime.clock.nowMs,
      address: runtime.url === DEFAULT_URL ? '' : ` --url ${runtime.url}`,
    });
  } finally {
    await runtime.stop();
  }
}
