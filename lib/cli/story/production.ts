/** What every act of a story works with. */

import type { Result } from '../../local/replay/run.ts';
import type { VolumeAlone } from '../../local/replay/what-if.ts';
import type { EventView } from '../render/replay/outflow.ts';
import type { Count } from './false-pauses.ts';
import type { Scene } from './scene.ts';
import type { Screen } from './screen.ts';
import type { Script } from './script.ts';

/** Who resumes at the end: a person in another terminal, the story itself, or nobody. */
export type Ending = 'operator' | 'auto' | 'none';

/** A story about to be told. */
export type Production = {
  readonly scene: Scene;
  readonly script: Script;
  readonly screen: Screen;
  /** What the limits alone would have done. */
  readonly volume: VolumeAlone;
  /** Starts the count of false pauses. */
  readonly startCount: () => Count;
  readonly ending: Ending;
  /** A fresh id for a command. */
  readonly commandId: () => string;
  readonly signal: AbortSignal;
};

/** What lines about single events are shown with. */
export function viewOf({ scene, screen }: Production): EventView {
  return { policy: scene.stage.policy, paint: screen.paint, columns: screen.columns };
}

/** How the replay ended, with what the operator was sent about its trip. */
export type Played = {
  readonly result: Result;
  readonly page?: { readonly subject: string; readonly body: string };
};
