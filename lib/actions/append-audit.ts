/** Appends what happened to the audit chain, has its end signed, and copies it away. */

import * as Audit from '../domain/audit.ts';
import * as Export from '../domain/audit-export.ts';
import {
  type AuditCopy,
  type AuditSigner,
  type AuditStore,
  type Clock,
  type ControlRecord,
  type Digest,
  LINKS_MAX,
} from '../ports.ts';

/** What the audit needs. */
export type Deps = {
  readonly audit: AuditStore;
  readonly signer: AuditSigner;
  readonly copy: AuditCopy;
  readonly clock: Clock;
  readonly digest: Pick<Digest, 'hash'>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
};

/** Attempts for one append, the first included: others append at the same time. */
const ATTEMPTS_MAX = 12;
const WAIT_FIRST_MS = 10;
const WAIT_MAX_MS = 250;
/** Entries that waited and are appended in one call, at most; the next call takes more. */
const DEFERRED_MAX = 200;
/** Links of one part of the copy, and parts in one call. */
const PART_LINKS_MAX = 500;
const PARTS_MAX = 4;

/**
 * Appends the entries of these records, each once however often it comes, after those that could not
 * be appended before; then has the head signed and what is signed copied. What fails is given back and
 * never thrown as long as the entries are kept somewhere: pages and decisions do not wait for the audit.
 *
 * @returns what did not work and is made up for by a later call.
 * @throws what the store throws when the entries could be neither appended nor kept; the records have to come again.
 */
export async function appendAudit(
  deps: Deps,
  records: readonly ControlRecord[],
): Promise<readonly Error[]> {
  const entries = records.flatMap((record) => Audit.entriesOf(record));
  if (entries.length === 0) return [];
  const problems: Error[] = [];
  const attempt = async (step: () => Promise<void>) => {
    await step().catch((error: unknown) => problems.push(toError(error)));
  };
  await appendOrKeep(deps, entries, problems);
  await attempt(() => appendDeferred(deps));
  await attempt(() => sealHead(deps));
  await attempt(() => copySealed(deps));
  return problems;
}

async function appendOrKeep(
  deps: Deps,
  entries: readonly Audit.Entry[],
  problems: Error[],
): Promise<void> {
  try {
    await appendAll(deps, entries);
  } catch (error) {
    await deps.audit.defer(entries);
    problems.push(toError(error));
  }
}

/** A crash after the append and before the entries are forgotten finds them appended the next time. */
async function appendDeferred(deps: Deps): Promise<void> {
  const kept = await deps.audit.deferred(DEFERRED_MAX);
  if (kept.length === 0) return;
  await appendAll(deps, kept);
  await deps.audit.undefer(kept.map(({ entryId }) => entryId));
}

async function appendAll(deps: Deps, entries: readonly Audit.Entry[]): Promise<void> {
  const distinct = [...new Map(entries.map((entry) => [entry.entryId, entry])).values()];
  for (let at = 0; at < distinct.length; at += LINKS_MAX) {
    await appendSome(deps, distinct.slice(at, at + LINKS_MAX));
  }
}

/** The head is read before the entries are looked for: whoever appends one in between moves it. */
async function appendSome(deps: Deps, entries: readonly Audit.Entry[]): Promise<void> {
  const { audit, digest, sleep, random } = deps;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const head = await audit.head();
    const appended = await audit.appended(entries.map(({ entryId }) => entryId));
    const fresh = entries.filter(({ entryId }) => !appended.has(entryId));
    if (fresh.length === 0) return;
    const links = Audit.extend(head, fresh, digest.hash);
    if ((await audit.append(links, head)) === 'appended') return;
    await sleep(random() * Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** attempt));
  }
  throw new ContendedError({ attempts: ATTEMPTS_MAX });
}

/** Signs the head unless it is signed; of two that sign at once the first stays. */
async function sealHead({ audit, signer, clock }: Deps): Promise<void> {
  const head = await audit.head();
  const sealed = await audit.seal();
  if (head.sequence <= (sealed?.sequence ?? 0)) return;
  await audit.putSeal(await signer.seal(head, clock.nowMs()));
}

/** Copies what is signed and was not copied: parts of whole lines, the last with the signed end. */
async function copySealed({ audit, copy }: Deps): Promise<void> {
  const seal = await audit.seal();
  if (!seal) return;
  let copied = await audit.copied();
  for (let part = 0; part < PARTS_MAX && copied < seal.sequence; part += 1) {
    const limit = Math.min(PART_LINKS_MAX, seal.sequence - copied);
    const links = await audit.links(copied + 1, limit);
    const last = links.at(-1)?.sequence ?? copied;
    if (last !== copied + limit) throw new GapError({ after: last });
    const lines = links.map(Audit.toText);
    if (last === seal.sequence) lines.push(Export.closing(seal));
    const text = lines.map((line) => `${line}\n`).join('');
    await copy.put({ first: copied + 1, last, text });
    await audit.markCopied(last);
    copied = last;
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Other writers won every attempt. Nothing was appended. */
export class ContendedError extends Error {
  override readonly name = 'AppendAudit.ContendedError';
  constructor(details: { readonly attempts: number }) {
    super(`lost ${details.attempts} attempts to append to the audit chain`);
  }
}

/** Links of the chain that should be stored are not. */
export class GapError extends Error {
  override readonly name = 'AppendAudit.GapError';
  constructor(details: { readonly after: number }) {
    super(`the stored audit chain has a gap after link ${details.after}`);
  }
}
