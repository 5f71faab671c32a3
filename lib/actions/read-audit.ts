/** The audit chain for people: to take away, and compared with what the Control table says. */

import * as Audit from '../domain/audit.ts';
import type { AuditStore, Digest } from '../ports.ts';

/** Links in one answer: a function's answer holds 6 MB, and a link at most some 10 KB. */
const PAGE_MAX = 500;
/** Links that are compared, at most. */
const CHECKED_MAX = 20_000;

/** A part of the chain, up to the newest signed head. */
export type Page = {
  /** Absent: no head was ever signed, and nothing can be taken away. */
  readonly seal?: Audit.Seal;
  /** The newest link, signed or not. */
  readonly newest: number;
  readonly links: readonly Audit.Link[];
};

/**
 * Reads links from one on, at most {@link PAGE_MAX}, none beyond the head that was signed.
 */
export async function readAudit(audit: AuditStore, from: number): Promise<Page> {
  const seal = await audit.seal();
  const { sequence: newest } = await audit.head();
  if (!seal) return { newest, links: [] };
  const limit = Math.min(PAGE_MAX, seal.sequence - from + 1);
  const links = limit > 0 ? await audit.links(from, limit) : [];
  return { seal, newest, links };
}

/** What a comparison found. `isWhole`: nothing differs, nothing is missing or unfounded. */
export type Checked = Audit.Drift & {
  readonly links: number;
  readonly isWhole: boolean;
  /** There are more links than were compared. */
  readonly truncated?: true;
  /** Entries that wait to be appended. */
  readonly waiting: number;
};

/**
 * Rebuilds the chain from the Control table's facts and compares it with the stored one (H87). Facts
 * are read before the chain, so that what comes meanwhile is not missing.
 */
export async function checkAudit(deps: {
  readonly audit: AuditStore;
  readonly digest: Pick<Digest, 'hash'>;
}): Promise<Checked> {
  const { audit, digest } = deps;
  const recorded = await audit.recorded();
  const waiting = await audit.deferred(CHECKED_MAX);
  const links = await audit.links(1, CHECKED_MAX);
  const facts = recorded.flatMap((record) => Audit.entriesOf(record));
  const drift = Audit.drift(links, facts, digest.hash);
  const newer = await audit.links(1 + links.length, 1);
  const { missing, unfounded, differsAt } = drift;
  return {
    ...drift,
    links: links.length,
    waiting: waiting.length,
    isWhole: missing.length === 0 && unfounded.length === 0 && differsAt === undefined,
    ...(links.length === CHECKED_MAX && newer.length > 0 ? { truncated: true } : {}),
  };
}
