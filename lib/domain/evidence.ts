/** What is known of one incident, for those who were not there. */

import type * as Audit from './audit.ts';
import type { Cause, Incident } from './breaker.ts';
import { CAUSES_MAX } from './breaker.ts';
import * as Explain from './explain.ts';
import type * as Ledger from './ledger.ts';
import * as Money from './money.ts';
import type { Policy } from './policy.ts';
import type { Transfer } from './withdrawal.ts';

/** Who can be called, as a policy names them. */
export type Contact = {
  readonly name: string;
  readonly kind: string;
  readonly assets?: readonly string[];
  readonly reach: string;
};

/** A ledger row of a withdrawal, an outflow or a command. Amounts as they were charged. */
export type Involved = {
  readonly rowId: string;
  readonly state: Ledger.RowState;
  readonly atMs: number;
  readonly policyVersion: number;
  readonly amountText: string;
  /** micro-USD that it was charged, 0 where it was not. */
  readonly notional: bigint;
  readonly transfer?: Transfer;
  /** The transaction, as far as it is known. */
  readonly sent?: string;
  /** What it was matched with. */
  readonly link?: string;
  readonly note?: string;
  readonly prices: readonly { readonly asset: string; readonly pricePicoUsd: bigint }[];
};

/** Everything of one incident. */
export type Evidence = {
  readonly atMs: number;
  readonly incident: Incident;
  readonly causes: readonly Cause[];
  /** Entries of the audit that name the incident, by time; without `sequence`: not in the chain yet. */
  readonly entries: readonly { readonly sequence?: number; readonly entry: Audit.Entry }[];
  readonly rows: readonly Involved[];
  readonly limits: readonly {
    readonly limitId: string;
    readonly metric: string;
    readonly usedText: string;
    readonly allowedText: string;
  }[];
  /** The policy under which it opened; `source` empty where it is not stored. */
  readonly policy: { readonly version: number; readonly hash: string; readonly source: string };
  readonly seal?: Audit.Seal;
  readonly contacts: readonly Contact[];
  /** What is not here, and why. */
  readonly cutOff: readonly string[];
};

/** What evidence is made of. */
export type Parts = Pick<Evidence, 'atMs' | 'incident' | 'causes' | 'cutOff'> & {
  readonly rows: readonly Ledger.Row[];
  readonly links: readonly Audit.Link[];
  /** Entries that must be there although the chain may not have them yet. */
  readonly further: readonly Audit.Entry[];
  /** The policy in force now: names, decimals, contacts. */
  readonly policy: Policy;
  readonly stored: Ledger.StoredPolicy | undefined;
  readonly seal: Audit.Seal | undefined;
};

/** Entries in one pack: whoever is refused again and again must not fill it. */
export const ENTRIES_MAX = 500;

/** Puts it together. */
export function of(parts: Parts): Evidence {
  const all = entriesOf(parts);
  const own = new Set(parts.further.map(({ entryId }) => entryId));
  const others = all.filter(({ entry }) => !own.has(entry.entryId));
  const dropped = new Set(others.slice(0, Math.max(0, all.length - ENTRIES_MAX)));
  const entries = all.filter((each) => !dropped.has(each));
  const { atMs, incident, causes, rows, policy, stored, seal } = parts;
  const { contacts = [] } = policy as Policy & { readonly contacts?: readonly Contact[] };
  return {
    atMs,
    incident,
    causes,
    entries,
    rows: rows.map((row) => involved(policy, row)),
    limits: causes.flatMap((cause) => limitOf(policy, cause)),
    policy: {
      version: incident.policyVersion,
      hash: stored?.hash ?? '',
      source: stored?.source ?? '',
    },
    ...(seal ? { seal } : {}),
    contacts,
    cutOff: [
      ...parts.cutOff,
      ...(dropped.size > 0 ? [`${dropped.size} older entries of the timeline`] : []),
      ...leftOut(parts),
    ],
  };
}

function leftOut({ causes, rows }: Parts): readonly string[] {
  const kept = causes.length >= CAUSES_MAX;
  const isLimit = causes.some(({ kind }) => kind === 'limit');
  const known = new Set(rows.map(({ rowId }) => rowId));
  const gone = causes.filter(({ rowId }) => !known.has(rowId)).length;
  return [
    ...(kept ? [`only ${CAUSES_MAX} causes of an incident are kept in full`] : []),
    ...(isLimit
      ? [
          'of the withdrawals that filled a limit only the one that crossed it is named; the others are in your own records and on chain',
        ]
      : []),
    ...(gone > 0 ? [`${gone} causes name no row of the ledger`] : []),
  ];
}

function entriesOf({ incident, links, further }: Parts): Evidence['entries'] {
  const found = new Map<string, { readonly sequence?: number; readonly entry: Audit.Entry }>(
    further.map((entry) => [entry.entryId, { entry }]),
  );
  for (const { sequence, entry } of links) {
    const text = [entry.entryId, entry.before, entry.after, entry.reason].join('\n');
    if (text.includes(incident.incidentId)) found.set(entry.entryId, { sequence, entry });
  }
  return [...found.values()].sort((one, other) => one.entry.atMs - other.entry.atMs);
}

function involved(policy: Policy, row: Ledger.Row): Involved {
  const { rowId, state, atMs, policyVersion, money, link, note, sent } = row;
  const charged = money?.charged ?? [];
  return {
    rowId,
    state,
    atMs,
    policyVersion,
    amountText: money ? Explain.amount(policy, money.transfer) : '',
    notional: charged.reduce((sum, leg) => sum + leg.notional, 0n),
    ...(money ? { transfer: money.transfer } : {}),
    ...(sent?.transaction === undefined ? {} : { sent: sent.transaction }),
    ...(link === undefined ? {} : { link }),
    ...(note === undefined ? {} : { note }),
    prices: charged.map(({ asset, pricePicoUsd }) => ({ asset, pricePicoUsd })),
  };
}

function limitOf(policy: Policy, { limit }: Cause): Evidence['limits'] {
  if (!limit) return [];
  const { limitId, used, allowed } = limit;
  const rule = policy.limits.find((each) => each.limitId === limitId);
  const text = (value: bigint) =>
    rule
      ? Explain.quantity(policy, rule, value)
      : `${value} (the policy in force has no such limit)`;
  const metric = rule?.metric ?? 'unknown';
  return [{ limitId, metric, usedText: text(used), allowedText: text(allowed) }];
}

/** A price as people read it: pico-USD for one base unit hides its size, so that it is shown as it is kept. */
export function priceText(pricePicoUsd: bigint): string {
  return `$${Money.formatUnits(pricePicoUsd, 12)}`;
}
