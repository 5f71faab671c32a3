/** Colours: on a terminal only, and only to repeat what the words say. */

import { styleText } from 'node:util';
import type { Output } from '../io.ts';

/** Colours a text, or leaves it as it is. */
export type Paint = {
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
};

type Style = Parameters<typeof styleText>[0];

/**
 * The colours for an output. `FORCE_COLOR` (anything but empty and 0) wins over `NO_COLOR` (anything
 * but empty), as in Node; without either a terminal that is not "dumb" decides.
 */
export function paintFor(
  output: Pick<Output, 'isTerminal'>,
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isOn = isColoured(output, env);
  const styled = (style: Style) => (text: string) =>
    isOn && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  return {
    red: styled(['red', 'bold']),
    yellow: styled('yellow'),
    green: styled('green'),
    bold: styled('bold'),
    dim: styled('dim'),
  };
}

function isColoured(
  output: Pick<Output, 'isTerminal'>,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  if (env.NO_COLOR) return false;
  return output.isTerminal && env.TERM !== 'dumb';
}
