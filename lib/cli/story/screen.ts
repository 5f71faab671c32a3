/** Where a story is told: lines that stay and, on a terminal, one line that changes. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Output } from '../io.ts';
import { columnsOf } from '../io.ts';
import type { Paint } from '../render/paint.ts';

/** A screen. Nothing is ever moved or cleared but the one changing line at the bottom. */
export type Screen = {
  readonly paint: Paint;
  readonly columns: number;
  /** Whether somebody watches, at a pace that can be followed. */
  readonly isPaced: boolean;
  /** Writes lines that stay. */
  readonly print: (lines: readonly string[]) => void;
  /** Shows the changing line; on anything but a terminal nothing. It must fit the width. */
  readonly status: (text: string) => void;
  /** Waits where somebody watches. Rejects with an `AbortError` once the story is interrupted. */
  readonly rest: (ms: number) => Promise<void>;
};

/** Back to the first column, and erase to the end of the line. */
const ERASE = '\r\u001b[K';

/** What a screen is made of. */
export type ScreenParameters = {
  readonly output: Output;
  readonly paint: Paint;
  readonly isPaced: boolean;
  readonly signal: AbortSignal;
};

/** Opens a screen on an output. */
export function openScreen(parameters: ScreenParameters): Screen {
  const { output, paint, isPaced, signal } = parameters;
  let isShown = false;
  const erase = () => {
    if (isShown) output.write(ERASE);
    isShown = false;
  };
  return {
    paint,
    columns: columnsOf(output),
    isPaced,
    print: (lines) => {
      erase();
      output.write(`${lines.join('\n')}\n`);
    },
    status: (text) => {
      if (!output.isTerminal) return;
      // One write, so that no terminal shows the erased line.
      output.write(`${isShown ? ERASE : ''}${text}`);
      isShown = text !== '';
    },
    rest: async (ms) => {
      signal.throwIfAborted();
      if (isPaced && ms > 0) await sleep(ms, undefined, { signal });
    },
  };
}

/** An output that shows nothing, for `--json`. */
export const SILENT: Output = { write: () => undefined, isTerminal: false, columns: undefined };
