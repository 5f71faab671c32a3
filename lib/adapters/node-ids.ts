/** Fresh identifiers, by node:crypto. */

import { randomBytes, randomUUID } from 'node:crypto';
import type { Ids } from '../ports.ts';

/** Crockford's base 32: no I, L, O, U, so that an id can be read out over the phone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 9 digits of 5 bits hold milliseconds until the year 3084. */
const TIME_DIGITS = 9;
const RANDOM_DIGITS = 4;
const STACK_ID_BYTES = 32;

/** `decisionId`: a UUID. `incidentId`: 9 digits of its time, then 4 random ones; sorts by time. */
export const nodeIds: Ids = {
  decisionId: () => randomUUID(),
  incidentId: (nowMs) => timeDigits(nowMs) + randomDigits(),
  stackId: () => randomBytes(STACK_ID_BYTES).toString('hex'),
};

function timeDigits(nowMs: number): string {
  let rest = nowMs;
  let digits = '';
  for (let position = 0; position < TIME_DIGITS; position += 1) {
    digits = ALPHABET.charAt(rest % 32) + digits;
    rest = Math.floor(rest / 32);
  }
  return digits;
}

function randomDigits(): string {
  return [...randomBytes(RANDOM_DIGITS)].map((byte) => ALPHABET.charAt(byte % 32)).join('');
}
