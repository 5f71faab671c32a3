/**
 * Where everything lies in the two tables.
 *
 * | table   | pk                  | sk                        | holds |
 * |---------|---------------------|---------------------------|-------|
 * | Ledger  | `row#<rowId>`       |                           | a row |
 * | Ledger  | `item#<scopeKey>`   |                           | the item of a scope |
 * | Ledger  | `leases`, `heartbeat` |                         | proofs of health |
 * | Control | `incident`          | incident id               | an incident |
 * | Control | `cause#<incident>`  | number, 16 digits         | a further cause |
 * | Control | `alert`, `page`     | alert id, page id         | an alert, a page that went out |
 * | Control | `policy`            | version, 16 digits        | a policy |
 * | Control | `flag`              | `current`                 | the flag's mirror |
 * | Control | `held`              | queue#held since#row      | a held withdrawal, by queue and age |
 * | Ledger  | `sight#<chain>`     |                           | what a chain's watcher saw last |
 * | Control | `watch`             | chain                     | what a chain's watcher remembers |
 * | Control | `grace`             | end#row                   | an outflow whose report may still come |
 * | Control | `proposal`          | proposal id               | a proposal, for those who look |
 * | Control | `due`               | when#proposal id          | a proposal that waits for its time |
 * | Control | `draft`             | hash                      | the text of a policy that is proposed |
 * | Control | `entry`             | entry id                  | a fact for the audit that no other row tells |
 * | Control | `audit`             | sequence, 16 digits       | a link of the audit chain |
 * | Control | `audit-entry`       | entry id                  | that this entry is in the chain |
 * | Control | `audit-head`        | `current`, `sealed`, `copied` | its end; the newest signed one; up to where it was copied |
 * | Control | `audit-wait`        | entry id                  | an entry that could not be appended yet |
 * | Control | `closed`            | incident id               | that an incident was closed, by whom |
 *
 * Injective: an id that DynamoDB could not hold as it is (empty, too long, a lone surrogate) is
 * written `~<sha256>`, and so is one that begins with `~` itself.
 */

import { createHash } from 'node:crypto';

/** Key of the Ledger table. */
export type LedgerKey = { readonly pk: string };
/** Key of the Control table. */
export type ControlKey = { readonly pk: string; readonly sk: string };

/** Bytes of a partition key and of a sort key, at most (DynamoDB's limits). */
const PK_BYTES_MAX = 2_048;
const SK_BYTES_MAX = 1_024;
/** Longest prefix of a partition key, `cause#` among them. */
const PREFIX_BYTES_MAX = 8;
const NUMBER_DIGITS = 16;

/** Partition keys of the Control table that stand alone; `CAUSE_PREFIX` is followed by the incident. */
export const CONTROL_PK = {
  incident: 'incident',
  alert: 'alert',
  policy: 'policy',
  flag: 'flag',
  page: 'page',
  held: 'held',
  grace: 'grace',
  watch: 'watch',
  proposal: 'proposal',
  draft: 'draft',
  due: 'due',
  entry: 'entry',
  audit: 'audit',
  auditEntry: 'audit-entry',
  auditHead: 'audit-head',
  auditWait: 'audit-wait',
  closed: 'closed',
} as const;
/** How the partition keys of causes begin. */
export const CAUSE_PREFIX = 'cause#';

/** Key of the leases. */
export const LEASES_KEY: LedgerKey = { pk: 'leases' };
/** Key of the heartbeat. */
export const HEARTBEAT_KEY: LedgerKey = { pk: 'heartbeat' };
/** Key of the last good prices. */
export const PRICES_KEY: LedgerKey = { pk: 'prices' };
/** Key of the note that an event is stuck. */
export const STUCK_KEY: LedgerKey = { pk: 'stuck' };
/** Key of what a chain's watcher saw last. */
export function sightKey(chain: string): LedgerKey {
  return { pk: `sight#${pkPart(chain)}` };
}

/** Key of what a chain's watcher remembers. */
export function watchKey(chain: string): ControlKey {
  return { pk: CONTROL_PK.watch, sk: part(chain, SK_BYTES_MAX) };
}

/** Key of the flag's mirror. */
export const FLAG_KEY: ControlKey = { pk: CONTROL_PK.flag, sk: 'current' };

/** The Ledger's sparse index of open reservations, for reports: nothing decides by it. */
export const OPEN_INDEX = {
  name: 'open-reservations',
  pk: 'ro',
  sk: 'ra',
  open: 'open',
  unseen: 'unseen',
} as const;
/** How the partition keys of withdrawals' rows begin. */
const WITHDRAWAL_ROW = 'row#withdrawal:';

/** The withdrawal of a row's partition key; the key itself where the id was too odd to be kept in it. */
export function withdrawalOf(pk: string): string {
  return pk.startsWith(WITHDRAWAL_ROW) ? pk.slice(WITHDRAWAL_ROW.length) : pk;
}

/** Key of a ledger row. */
export function rowKey(rowId: string): LedgerKey {
  return { pk: `row#${pkPart(rowId)}` };
}

/** Key of the item of a scope. */
export function itemKey(scopeKey: string): LedgerKey {
  return { pk: `item#${pkPart(scopeKey)}` };
}

/** Key of what a wallet held, by its `wallet-asset` scope. */
export function balanceKey(scopeKey: string): LedgerKey {
  return { pk: `balance#${pkPart(scopeKey)}` };
}

/** Key of an incident. */
export function incidentKey(incidentId: string): ControlKey {
  return { pk: CONTROL_PK.incident, sk: part(incidentId, SK_BYTES_MAX) };
}

/** Partition key of an incident's further causes. */
export function causePk(incidentId: string): string {
  return `${CAUSE_PREFIX}${pkPart(incidentId)}`;
}

/** Key of a further cause. */
export function causeKey(cause: {
  readonly incidentId: string;
  readonly number: number;
}): ControlKey {
  return { pk: causePk(cause.incidentId), sk: digits(cause.number) };
}

/** Key of the row that says that an incident was closed: only who may close incidents may write it. */
export function closedKey(incidentId: string): ControlKey {
  return { pk: CONTROL_PK.closed, sk: part(incidentId, SK_BYTES_MAX) };
}

/** Key of an alert. */
export function alertKey(alertId: string): ControlKey {
  return { pk: CONTROL_PK.alert, sk: part(alertId, SK_BYTES_MAX) };
}

/** Key of a policy. */
export function policyKey(version: number): ControlKey {
  return { pk: CONTROL_PK.policy, sk: digits(version) };
}

/** How the sort keys of one queue begin: 16 hex digits, so that every queue's fit. */
export function heldPrefix(queue: string): string {
  return `${createHash('sha256').update(queue).digest('hex').slice(0, 16)}#`;
}

/** The prefix of the queue that a sort key lies in, and the least sort key of any queue behind it. */
export function heldQueue(sk: string): { readonly prefix: string; readonly behind: string } {
  const hex = sk.slice(0, sk.indexOf('#'));
  return { prefix: `${hex}#`, behind: `${hex}$` };
}

/** Key of a held withdrawal. */
export function heldKey(held: {
  readonly queue: string;
  readonly heldAtMs: number;
  readonly rowId: string;
}): ControlKey {
  const before = `${heldPrefix(held.queue)}${digits(held.heldAtMs)}#`;
  return {
    pk: CONTROL_PK.held,
    sk: `${before}${part(held.rowId, SK_BYTES_MAX - before.length)}`,
  };
}

/** Key of an outflow whose grace runs: the one that ends first comes first. */
export function graceKey(grace: { readonly rowId: string; readonly untilMs: number }): ControlKey {
  const before = `${digits(grace.untilMs)}#`;
  return {
    pk: CONTROL_PK.grace,
    sk: `${before}${part(grace.rowId, SK_BYTES_MAX - before.length)}`,
  };
}

/** Key of a proposal's copy. Ids sort by time. */
export function proposalKey(proposalId: string): ControlKey {
  return { pk: CONTROL_PK.proposal, sk: part(proposalId, SK_BYTES_MAX) };
}

/** Key of a proposal that waits for its time: the one that is due first comes first. */
export function dueKey(due: { readonly proposalId: string; readonly dueAtMs: number }): ControlKey {
  const before = `${digits(due.dueAtMs)}#`;
  const sk = `${before}${part(due.proposalId, SK_BYTES_MAX - before.length)}`;
  return { pk: CONTROL_PK.due, sk };
}

/** Key of the text of a policy that is proposed. */
export function draftKey(hash: string): ControlKey {
  return { pk: CONTROL_PK.draft, sk: part(hash, SK_BYTES_MAX) };
}

/** Key of the note that a page went out. */
export function pageKey(pageId: string): ControlKey {
  return { pk: CONTROL_PK.page, sk: part(pageId, SK_BYTES_MAX) };
}

/** Key of an entry in one of its partitions. */
export function entryKey(pk: 'entry' | 'audit-entry' | 'audit-wait', entryId: string): ControlKey {
  return { pk, sk: part(entryId, SK_BYTES_MAX) };
}

/** Key of a link of the audit chain. */
export function linkKey(sequence: number): ControlKey {
  return { pk: CONTROL_PK.audit, sk: digits(sequence) };
}

/** Key of what is kept of the chain's end. */
export function headKey(sk: 'current' | 'sealed' | 'copied'): ControlKey {
  return { pk: CONTROL_PK.auditHead, sk };
}

function pkPart(id: string): string {
  return part(id, PK_BYTES_MAX - PREFIX_BYTES_MAX);
}

function part(id: string, bytesMax: number): string {
  const fits = id !== '' && Buffer.byteLength(id) <= bytesMax && id.isWellFormed();
  if (fits && !id.startsWith('~')) return id;
  // UTF-16, because UTF-8 would turn every lone surrogate into the same character.
  return `~${createHash('sha256').update(id, 'utf16le').digest('hex')}`;
}

function digits(number: number): string {
  return number.toString().padStart(NUMBER_DIGITS, '0');
}
