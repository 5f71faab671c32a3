/** The switch of shadow mode, wherever it is an option. */

/** Why a switch was not taken. */
export const NO_SWITCH = 'must be true or false';

/**
 * Whether this can stand for a switch: true, false or nothing. It opens what else fails closed, and
 * settings are often texts: of those `false` and `0` would be as good as true.
 */
export function isSwitch(value: unknown): value is boolean | undefined {
  return value === undefined || typeof value === 'boolean';
}
