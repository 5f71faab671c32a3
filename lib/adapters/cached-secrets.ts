/** Secrets, kept for a while. */

import type { Clock, Secret, Secrets } from '../ports.ts';

/** Kept this long unless somebody asks for a younger one, ms. */
const MAX_AGE_MS = 300_000;

type Kept = { readonly readAtMs: number; readonly secret: Promise<Secret> };

/**
 * Keeps what `read` gives, by name, for five minutes or as young as is asked for. Whoever waits for
 * the same reading shares it.
 * Fail direction: closed, a failed reading throws, is not kept, and nothing older is given instead.
 */
export function cachedSecrets(
  read: (name: string) => Promise<Secret>,
  options: { readonly clock: Clock },
): Secrets {
  const kept = new Map<string, Kept>();
  const isYoung = ({ readAtMs }: Kept, maxAgeMs: number) => {
    // A clock that went backwards makes everything old, never young.
    const ageMs = options.clock.nowMs() - readAtMs;
    return ageMs >= 0 && ageMs < maxAgeMs;
  };
  return {
    get: async (name, maxAgeMs = MAX_AGE_MS) => {
      const known = kept.get(name);
      if (known && isYoung(known, maxAgeMs)) return known.secret;
      const reading = { readAtMs: options.clock.nowMs(), secret: read(name) };
      kept.set(name, reading);
      try {
        return await reading.secret;
      } catch (error) {
        if (kept.get(name) === reading) kept.delete(name);
        throw error;
      }
    },
  };
}
