/**
 * Who did what, when and why, in a chain: each link holds the hash of the one before it, so that no
 * link can be changed, taken out or slipped in without every later hash changing too.
 *
 * The texts of entries are derived from what the Control table says, and must stay as they are: a
 * chain that is rebuilt from the table has to be the stored one, byte for byte.
 */

import type { Cause, Incident } from './breaker.ts';
import * as Canonical from './canonical.ts';
import type * as Ledger from './ledger.ts';
import * as Money from './money.ts';
import type { Proposal } from './proposal.ts';
import * as ProposalAudit from './proposal-audit.ts';

/** One fact of the audit. `entryId` names the fact: it is in the chain once. */
export type Entry = {
  readonly entryId: string;
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly scope?: string;
  readonly before: string;
  readonly after: string;
  readonly reason: string;
};

/** An entry in its place. `sequence` counts from 1; hashes are SHA-256 in lower-case hex. */
export type Link = {
  readonly sequence: number;
  /** The hash of the link before it; of the first one, that of {@link GENESIS}. */
  readonly previousHash: string;
  /** Over the canonical text of this link without this field. */
  readonly hash: string;
  readonly entry: Entry;
};

/** The end of a chain. */
export type Head = { readonly sequence: number; readonly hash: string };

/** A public P-256 key as it is published (RFC 7517). */
export type PublicKey = {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg: 'ES256';
  readonly use: 'sig';
};

/** A head that was signed. `jws` (RFC 7515) is over {@link Claims} in canonical text. */
export type Seal = Head & { readonly jwk: PublicKey; readonly jws: string };

/** What is signed of a head. `iat` in whole seconds. */
export type Claims = Head & { readonly iss: string; readonly iat: number };

/** Hashes a text: SHA-256 over its UTF-8, in lower-case hex. */
export type Hash = (text: string) => string;

/** The end of a chain that has no link yet. */
export const GENESIS: Head = { sequence: 0, hash: '0'.repeat(64) };

/** Whoever acts where no person does. */
export const SYSTEM = 'breakwater';

/** Characters of one text of an entry, at most; the rest is cut off, which `…` shows. */
const TEXT_MAX = 2_000;
/** Characters of an author or of a scope, at most. */
const NAME_MAX = 1_200;

/** An entry with texts of bounded length. */
export function entry(parts: Entry): Entry {
  const { entryId, atMs, what } = parts;
  return {
    entryId,
    atMs,
    what,
    who: cut(parts.who, NAME_MAX),
    ...(parts.scope === undefined ? {} : { scope: cut(parts.scope, NAME_MAX) }),
    before: cut(parts.before, TEXT_MAX),
    after: cut(parts.after, TEXT_MAX),
    reason: cut(parts.reason, TEXT_MAX),
  };
}

/** The hash that a link must have. */
export function hashOf(link: Omit<Link, 'hash'>, hash: Hash): string {
  const { sequence, previousHash, entry: of } = link;
  return hash(Canonical.text({ sequence, previousHash, entry: of }));
}

/** The links that come after a head, one for each entry, in order. */
export function extend(head: Head, entries: readonly Entry[], hash: Hash): readonly Link[] {
  const links: Link[] = [];
  let { sequence, hash: previousHash } = head;
  for (const next of entries) {
    sequence += 1;
    const link = { sequence, previousHash, entry: next };
    links.push({ ...link, hash: hashOf(link, hash) });
    previousHash = links.at(-1)?.hash ?? previousHash;
  }
  return links;
}

/** The head after these links. */
export function headAfter(head: Head, links: readonly Link[]): Head {
  const { sequence, hash } = links.at(-1) ?? head;
  return { sequence, hash };
}

/** A change of the Control table, as far as the audit tells it. */
export type Recorded =
  | { readonly type: 'incident-opened'; readonly incident: Incident }
  | { readonly type: 'incident-closed'; readonly incident: Incident }
  | { readonly type: 'incident-changed'; readonly incident: Incident }
  /** People agreed to resume it in steps. */
  | { readonly type: 'incident-resuming'; readonly incident: Incident }
  | {
      readonly type: 'cause-added';
      readonly incidentId: string;
      readonly number: number;
      readonly cause: Cause;
    }
  | { readonly type: 'alert-raised'; readonly alert: Ledger.Alert }
  | { readonly type: 'policy-applied'; readonly policy: Ledger.StoredPolicy }
  | { readonly type: 'entry-added'; readonly entry: Entry }
  | { readonly type: 'proposal-changed'; readonly proposal: Proposal }
  | { readonly type: 'ignored' };

/**
 * What a change of the Control table is in the chain; nothing where it is no fact of its own. The
 * same record gives the same entries at any time: a proposal, every signature that it has so far.
 */
export function entriesOf(record: Recorded): readonly Entry[] {
  if (record.type === 'proposal-changed') {
    return ProposalAudit.entriesOf(record.proposal).map(entry);
  }
  const one = entryOf(record);
  return one ? [one] : [];
}

function entryOf(record: Exclude<Recorded, { type: 'proposal-changed' }>): Entry | undefined {
  switch (record.type) {
    case 'incident-opened':
      return opened(record.incident);
    case 'incident-closed':
      return closed(record.incident);
    case 'incident-changed':
    case 'incident-resuming':
      return resuming(record.incident);
    case 'cause-added':
      return added(record);
    case 'policy-applied':
      return applied(record.policy);
    case 'alert-raised':
      return refused(record.alert);
    case 'entry-added':
      return record.entry;
    case 'ignored':
      return undefined;
    default:
      return record satisfies never;
  }
}

function opened({ incidentId, scope, epoch, openedAtMs, first, policyVersion }: Incident): Entry {
  return entry({
    entryId: `opened:${incidentId}`,
    atMs: openedAtMs,
    who: first.actor ?? SYSTEM,
    what: 'incident.opened',
    scope,
    before: 'withdrawals enabled',
    after: `not enabled: incident ${incidentId}, epoch ${epoch}, policy version ${policyVersion}, ${cause(first)}`,
    reason: first.text,
  });
}

function closed({ incidentId, scope, closed: by, openedAtMs }: Incident): Entry {
  return entry({
    entryId: `closed:${incidentId}`,
    atMs: by?.atMs ?? openedAtMs,
    who: by?.actor ?? SYSTEM,
    what: 'incident.closed',
    scope,
    before: `not enabled: incident ${incidentId}`,
    after: `withdrawals enabled: incident ${incidentId} closed`,
    reason: by?.reason ?? '',
  });
}

/** What a resume in steps leaves on its incident. */
type Resuming = {
  readonly resuming?: {
    readonly atMs: number;
    readonly actors: readonly string[];
    readonly reason: string;
  };
};

/** A resume in steps that began; the incident is closed when its last step is over. */
function resuming(incident: Incident & Resuming): Entry | undefined {
  const { incidentId, scope, resuming: by } = incident;
  if (!by) return undefined;
  return entry({
    entryId: `resuming:${incidentId}:${by.atMs}`,
    atMs: by.atMs,
    who: by.actors.join(', '),
    what: 'incident.resuming',
    scope,
    before: `not enabled: incident ${incidentId}`,
    after: `resuming in steps: incident ${incidentId}`,
    reason: by.reason,
  });
}

function added(record: Extract<Recorded, { type: 'cause-added' }>): Entry {
  const { incidentId, number, cause: further } = record;
  return entry({
    entryId: `cause:${incidentId}:${number}`,
    atMs: further.atMs,
    who: further.actor ?? SYSTEM,
    what: 'cause.added',
    before: `incident ${incidentId}`,
    after: `incident ${incidentId}, cause ${number}: ${cause(further)}`,
    reason: further.text,
  });
}

/** What a policy may say of the change that brought it. */
type Change = { readonly reason?: string; readonly beforeHash?: string };

function applied(policy: Ledger.StoredPolicy & Change): Entry {
  const { version, hash, beforeHash } = policy;
  const before = version > 1 ? `version ${version - 1}` : 'no policy';
  return entry({
    entryId: `policy:${version}`,
    atMs: policy.appliedAtMs,
    who: policy.actor,
    what: 'policy.applied',
    before: beforeHash === undefined ? before : `${before}, ${beforeHash}`,
    after: `version ${version}, ${hash}`,
    reason: policy.reason ?? '',
  });
}

/** Alerts that tell of something that was done or refused; all others tell what was seen. */
const TOLD: Partial<
  Record<Ledger.Alert['kind'], { readonly what: string; readonly after: string }>
> = {
  refused: { what: 'event.refused', after: 'nothing changed' },
  step: { what: 'resume.step', after: 'the next step, or all limits in full' },
  panic: { what: 'panic.used', after: 'stopped, or tightened' },
};

/** Refused commands of the topic have an entry with their author besides: their alert is no second one. */
function refused(alert: Ledger.Alert): Entry | undefined {
  const { alertId, kind, atMs, scope, rowId, text } = alert;
  const told = TOLD[kind];
  if (!told || rowId.startsWith(MESSAGE_ROW)) return undefined;
  return entry({
    entryId: `alert:${alertId}`,
    atMs,
    who: SYSTEM,
    what: told.what,
    scope,
    before: rowId,
    after: told.after,
    reason: text,
  });
}

/** How the alerts of messages of the control topic name what they are about. */
export const MESSAGE_ROW = 'message:';

/** The entry of a command that was refused. `command` is what it asked for, as far as it can be told. */
export function refusal(of: {
  readonly refusalId: string;
  readonly atMs: number;
  readonly who: string;
  readonly command: string;
  readonly why: string;
}): Entry {
  return entry({
    entryId: `refused:${of.refusalId}`,
    atMs: of.atMs,
    who: of.who,
    what: 'command.refused',
    before: of.command,
    after: 'nothing changed',
    reason: of.why,
  });
}

function cause(of: Cause): string {
  const size = of.notional > 0n ? `, ${Money.formatUsd(of.notional)}` : '';
  return `${of.kind}${size}, event ${of.rowId}`;
}

function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}

/** How a chain differs from the one that the Control table's facts make. */
export type Drift = {
  /** Facts that are in no link, by their entry's id. A fact of the last moments may still be under way. */
  readonly missing: readonly string[];
  /** Links whose fact the table does not hold. */
  readonly unfounded: readonly number[];
  /** The first link that differs from the rebuilt one, byte by byte; absent where all are equal. */
  readonly differsAt?: number;
};

/**
 * Builds the chain again from facts, in the order in which it was appended (the table keeps none
 * across its partitions), and compares. What the table has overwritten since, the beginning of a
 * resume that was begun again, counts as unfounded.
 */
export function drift(stored: readonly Link[], facts: readonly Entry[], hash: Hash): Drift {
  const byId = new Map(facts.map((fact) => [fact.entryId, fact]));
  const appended = new Set(stored.map((link) => link.entry.entryId));
  const founded = stored.map((link) => byId.get(link.entry.entryId));
  const rebuilt = extend(
    GENESIS,
    stored.map((link, at) => founded[at] ?? link.entry),
    hash,
  );
  const differsAt = stored.find((link, at) => toText(link) !== toText(rebuilt[at]))?.sequence;
  return {
    missing: facts.flatMap(({ entryId }) => (appended.has(entryId) ? [] : [entryId])),
    unfounded: stored.flatMap((link, at) => (founded[at] ? [] : [link.sequence])),
    ...(differsAt === undefined ? {} : { differsAt }),
  };
}

/** A link as one line: its canonical text. */
export function toText(link: Link | undefined): string {
  return link ? Canonical.text({ ...link }) : '';
}
