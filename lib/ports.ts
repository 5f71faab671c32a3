/** What actions need from the world. Each port has one in-memory and one real implementation that pass the same contract suite. */

import type * as Audit from './domain/audit.ts';
import type * as Balance from './domain/balance.ts';
import type * as Block from './domain/block.ts';
import type { Cause, Incident } from './domain/breaker.ts';
import type { AccountId, AssetId, ChainId } from './domain/caip.ts';
import type * as Facts from './domain/facts.ts';
import type { Leases } from './domain/flag.ts';
import type { Sight, Sights } from './domain/health.ts';
import type * as Ledger from './domain/ledger.ts';
import type { Open } from './domain/overdue.ts';
import type { Message } from './domain/page.ts';
import type { Compiled, Policy } from './domain/policy.ts';
import type * as Price from './domain/price.ts';
import type { Proposal } from './domain/proposal.ts';
import type { Held } from './domain/queue.ts';
import type { TypedData } from './domain/typed-data.ts';
import type * as Watch from './domain/watch.ts';

/** Time as this host knows it, in ms since the epoch. */
export type Clock = { readonly nowMs: () => number };

/** Fresh identifiers. Ids of incidents sort by time. */
export type Ids = {
  readonly decisionId: () => string;
  readonly incidentId: (nowMs: number) => string;
  /** 32 random bytes in lower-case hex. */
  readonly stackId: () => string;
};

/** Hashes of texts. */
export type Digest = {
  /** SHA-256 in lower-case hex. */
  readonly hash: (text: string) => string;
  /** 32 bits of it. */
  readonly shortHash: (text: string) => number;
};

/** What to read before a decision. */
export type Keys = {
  readonly rows: readonly string[];
  readonly items: readonly string[];
  /**
   * Items that are judged by and perhaps not written, read after the others, also where they are among
   * these: a batch read is no instant, and whoever changes one of these has also changed the version of
   * an item that is written.
   */
  readonly gates?: readonly string[];
  /** Queues to read where the items say that somebody waits in them. Their scopes are among the items. */
  readonly queues?: readonly { readonly limitId: string; readonly scope: string }[];
  /** What to read of the world beside the ledger. */
  readonly facts?: Facts.Keys | undefined;
};

/**
 * The decision path's store: one strong read, one atomic write.
 * Fail direction: any error other than a lost condition is thrown, and the caller takes it as "not
 * committed, not approved".
 */
export type DecisionStore = {
  /**
   * Reads everything strongly consistent, gates and queues after the items: whoever changes one of
   * them changes the version of an item too. Keys that are not stored are absent from the maps.
   */
  readonly load: (keys: Keys) => Promise<Ledger.Loaded>;
  /**
   * Writes all or nothing. `conflict`: some condition did not hold, nothing was written, read again.
   * A lost answer is asked for again with identical bytes and never written twice.
   *
   * @throws {Store.UnavailableError} throttled, timed out or down beyond the bounded retries.
   */
  readonly commit: (changes: Ledger.Changes) => Promise<'committed' | 'conflict'>;
};

/** Policies by version. What a version holds never changes. */
export type PolicyStore = {
  readonly load: (version: number) => Promise<Ledger.StoredPolicy | undefined>;
};

/** Incidents, for people and projections. */
export type IncidentStore = {
  readonly get: (incidentId: string) => Promise<Incident | undefined>;
  readonly causes: (incidentId: string) => Promise<readonly Cause[]>;
  /** Newest first, at most `limit`. */
  readonly list: (limit: number) => Promise<readonly Incident[]>;
  /** Those that are open, however old, newest first, at most `limit`. */
  readonly listOpen: (limit: number) => Promise<readonly Incident[]>;
};

/** Withdrawals that are held, for people and for whoever tries them again. */
export type HeldStore = {
  /** Every queue one after the other, each oldest first, at most `limit` entries. */
  readonly list: (limit: number) => Promise<readonly Held[]>;
  /**
   * The first `perQueue` entries of each queue, each oldest first, of at most `queuesMax` queues, so
   * that a long queue hides no other. Strongly consistent. Where there are more queues, `from` (hex)
   * says at which to begin: the order of queues is that of the SHA-256 of their keys, in a circle.
   */
  readonly heads: (perQueue: number, queuesMax: number, from?: string) => Promise<readonly Held[]>;
  /** Those that stand behind one in its queue, oldest first, at most `limit`. Strongly consistent. */
  readonly behind: (held: Held, limit: number) => Promise<readonly Held[]>;
};

/** Outflows whose report may still come. */
export type GraceStore = {
  /** Ledger ids of those whose time was over at `nowMs`, the first first, at most `limit`. */
  readonly over: (nowMs: number, limit: number) => Promise<readonly string[]>;
};

/** Reservations whose outcome is open. Read from an index that is a moment behind: nothing decides by it. */
export type OpenReservations = {
  /** Those charged before a time, oldest first, at most `limit`. */
  readonly before: (atMs: number, limit: number) => Promise<readonly Open[]>;
  /** As `before`, for withdrawals that are sent for all we know, on chains that are watched, and were not seen. */
  readonly unseen: (atMs: number, limit: number) => Promise<readonly Open[]>;
};

/** Proofs of health. */
export type HealthStore = {
  readonly heartbeat: () => Promise<Ledger.Heartbeat | undefined>;
  /** When an event that had waited too long failed last, ms. */
  readonly stuckAtMs: () => Promise<number | undefined>;
  readonly noteStuck: (atMs: number) => Promise<void>;
  /** What the watchers of these chains saw last; a chain that was never seen is absent. */
  readonly sights: (chains: readonly ChainId[]) => Promise<Sights>;
  /** Notes what a chain's watcher saw; an older sight than the stored one changes nothing. */
  readonly noteSight: (chain: ChainId, sight: Sight) => Promise<void>;
  readonly leases: () => Promise<Leases>;
  /** Replaces all leases; an older `atMs` than the stored one changes nothing. */
  readonly renew: (leases: Leases, atMs: number) => Promise<void>;
};

/** What the watchers of chains remember between two steps. */
export type WatchStore = {
  readonly load: (chain: ChainId) => Promise<Watch.State | undefined>;
  /**
   * Puts a state in the place of the one with its version, 0 where there is none, and counts the
   * version up. `conflict`: somebody else has saved meanwhile, nothing was written, load again.
   */
  readonly save: (state: Watch.State) => Promise<'saved' | 'conflict'>;
};

/** What was put last, with its version: 0 where nothing was. */
export type Versioned<T> = { readonly version: number; readonly value: T };

/** The last good prices. Decisions read them with the ledger (`Keys.facts`). */
export type PriceStore = {
  readonly load: () => Promise<Versioned<Prices>>;
  /** Replaces what had this version. `conflict`: somebody else has put meanwhile, nothing was written. */
  readonly put: (prices: Versioned<Prices>) => Promise<'put' | 'conflict'>;
};

/** Prices, and when they were asked for last. */
export type Prices = { readonly quotes: Price.Quotes; readonly askedAtMs: number };

/** What wallets held, by key of the `wallet-asset` scope. Decisions read it with the ledger (`Keys.facts`). */
export type BalanceStore = {
  /** `undefined` with version 0 where nothing was put. */
  readonly load: (scope: string) => Promise<Versioned<Balance.Balance | undefined>>;
  /** Replaces what had this version. `conflict`: somebody else has put meanwhile, nothing was written. */
  readonly put: (scope: string, balance: Versioned<Balance.Balance>) => Promise<'put' | 'conflict'>;
};

/** Reads prices, each feed on its own: one reading or more for each. Never throws. */
export type PriceReader = {
  readonly read: (feeds: readonly Price.Feed[]) => Promise<readonly Price.Reading[]>;
};

/** An asset that an address holds. */
export type Holding = { readonly account: AccountId; readonly asset: AssetId };

/**
 * Reads what addresses hold now, base units, in order; of several answers the lowest. A holding that
 * cannot be read is an error in its place. Never throws.
 */
export type BalanceReader = {
  readonly read: (holdings: readonly Holding[]) => Promise<readonly (bigint | Error)[]>;
};

/** What `project-state` writes: its own rows only. */
export type ProjectionStore = {
  /** Whether this page has gone out. */
  readonly isPaged: (pageId: string) => Promise<boolean>;
  readonly markPaged: (pageId: string, atMs: number) => Promise<void>;
  readonly putFlag: (mirror: FlagMirror) => Promise<void>;
  readonly flag: () => Promise<FlagMirror | undefined>;
};

/** The mirror of the breakers that are not closed, for systems that only want to look. Nothing decides by it. */
export type FlagMirror = {
  readonly atMs: number;
  readonly open: readonly {
    readonly scope: string;
    readonly incidentId: string;
    readonly sinceMs: number;
  }[];
  /** There are more than are named here. */
  readonly truncated?: true;
};

/** Proposals for those who look, and the texts of policies that are proposed. What decides is each one's row. */
export type ProposalStore = {
  /** Newest first, at most `limit`. */
  readonly list: (limit: number) => Promise<readonly Proposal[]>;
  /** Ids of those that enough have signed and whose time had come at `nowMs`, the first first, at most `limit`. */
  readonly due: (nowMs: number, limit: number) => Promise<readonly string[]>;
  /** The text of a policy that was proposed, by its hash. */
  readonly draft: (hash: string) => Promise<Ledger.DraftPolicy | undefined>;
};

/** Says which key made a signature over typed data. Never throws, and asks nobody. */
export type Signatures = {
  readonly recover: (
    typedData: TypedData,
    signature: string,
  ) => Promise<
    /** `address`: lower case. */
    | { readonly kind: 'signer'; readonly address: string }
    | { readonly kind: 'malformed' | 'malleable'; readonly why: string }
  >;
};

/**
 * The audit chain and the entries that belong to no other row. Strongly consistent.
 * Fail direction: what throws has appended nothing that the caller may rely on; appending again is safe.
 */
export type AuditStore = {
  /** The end of the chain; {@link Audit.GENESIS} before its first link. */
  readonly head: () => Promise<Audit.Head>;
  /** Which of these entries are in the chain. */
  readonly appended: (entryIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /**
   * Appends links, at most {@link LINKS_MAX}, all or none, after the head that they were made for.
   * `conflict`: the head is another, or one of the entries is in the chain; nothing was written.
   */
  readonly append: (
    links: readonly Audit.Link[],
    after: Audit.Head,
  ) => Promise<'appended' | 'conflict'>;
  /** Links in order from a sequence number on, at most `limit`. */
  readonly links: (from: number, limit: number) => Promise<readonly Audit.Link[]>;
  /** Puts an entry that belongs to no commit; the same id is put once. */
  readonly note: (entry: Audit.Entry) => Promise<void>;
  /** Keeps entries that could not be appended, until they are. */
  readonly defer: (entries: readonly Audit.Entry[]) => Promise<void>;
  /** Entries that were kept so, at most `limit`. */
  readonly deferred: (limit: number) => Promise<readonly Audit.Entry[]>;
  /** Forgets that entries were kept. */
  readonly undefer: (entryIds: readonly string[]) => Promise<void>;
  /** The newest head that was signed. */
  readonly seal: () => Promise<Audit.Seal | undefined>;
  /** Keeps a signed head; one that is not newer than the kept one changes nothing. */
  readonly putSeal: (seal: Audit.Seal) => Promise<void>;
  /** Up to which link the chain was copied; 0 before the first. */
  readonly copied: () => Promise<number>;
  /** Notes up to where it was copied; a lower number changes nothing. */
  readonly markCopied: (sequence: number) => Promise<void>;
  /**
   * Everything that the Control table holds and the chain tells, as if its stream told it again, in
   * no order across partitions. Reads whole partitions: for comparing, not for deciding.
   */
  readonly recorded: () => Promise<readonly ControlRecord[]>;
};

/** Links of one append: with their markers and the head they fit one transaction. */
export const LINKS_MAX = 40;

/** Everything above over one pair of tables. */
export type Store = {
  readonly decisions: DecisionStore;
  readonly policies: PolicyStore;
  readonly incidents: IncidentStore;
  readonly health: HealthStore;
  readonly projections: ProjectionStore;
  readonly alerts: AlertStore;
  readonly held: HeldStore;
  readonly graces: GraceStore;
  readonly watches: WatchStore;
  readonly prices: PriceStore;
  readonly balances: BalanceStore;
  readonly openReservations: OpenReservations;
  readonly proposals: ProposalStore;
  readonly audit: AuditStore;
};

/** A change of the Control table, as its stream tells it. Causes are numbered from 2: the first one is in the incident. */
export type ControlRecord = Audit.Recorded;

/** Sends messages to people. Throws when it could not; the caller tries again. */
export type Notifier = { readonly send: (message: Message) => Promise<void> };

/** Sends an event through the ingress, as any producer would. */
export type EventSender = {
  readonly send: (event: {
    readonly detailType: string;
    readonly detail: unknown;
  }) => Promise<void>;
};

/** Puts aside what cannot be read, with the reason. */
export type RejectQueue = {
  readonly send: (rejected: { readonly body: string; readonly reason: string }) => Promise<void>;
};

/** Asks for a failed record again soon. A failure only makes it later. */
export type Redelivery = { readonly soon: (receiptHandle: string) => Promise<void> };

/**
 * What a signer is shown: the claims of an admission. Times in whole seconds, as JWT has them.
 * It is signed as a JWS (RFC 7515) with ES256 (RFC 7518).
 */
export type AdmissionClaims = {
  readonly iss: string;
  readonly aud: string;
  /** The withdrawal's id. */
  readonly sub: string;
  readonly jti: string;
  readonly wallet: string;
  readonly asset: string;
  readonly amount: string;
  readonly destination: string;
  readonly memo?: string;
  readonly iat: number;
  readonly exp: number;
};

/** Signs admissions. Throws when it cannot: then nothing is admitted. */
export type AdmissionSigner = {
  /** The compact JWS of the claims. */
  readonly sign: (claims: AdmissionClaims) => Promise<string>;
  /** The public keys, as a JSON Web Key Set (RFC 7517). */
  readonly jwks: () => Promise<{ readonly keys: readonly Readonly<Record<string, unknown>>[] }>;
  /** Who signs: the `iss` of every admission. */
  readonly issuer: string;
};

/** Signs heads of the audit chain. Throws when it cannot: then the head stays unsigned until the next one is signed. */
export type AuditSigner = {
  /** @param atMs when it is signed; the signature tells whole seconds. */
  readonly seal: (head: Audit.Head, atMs: number) => Promise<Audit.Seal>;
  /** Whose chain it is: the `iss` of every signed head. */
  readonly issuer: string;
};

/** Copies parts of the audit chain to where nobody can change them. Putting the same part again is safe. Throws when it could not. */
export type AuditCopy = {
  readonly put: (part: {
    readonly first: number;
    readonly last: number;
    /** Lines, each with its line feed. */
    readonly text: string;
  }) => Promise<void>;
};

/** Puts alerts that belong to no commit; the same id is told once. */
export type AlertStore = { readonly raise: (alert: Ledger.Alert) => Promise<void> };

/** How many messages lie in the dead-letter queues of the ingress. */
export type DeadLetters = { readonly count: () => Promise<number> };

/** How many messages wait in the queues that people have to know of, by the name that people know. */
export type QueueDepths = {
  readonly read: () => Promise<readonly { readonly name: string; readonly waiting: number }[]>;
};

/** Reads and compiles a policy's source text. Throws an error that names line and field. */
export type PolicyCompiler = (source: string) => Compiled;

/** Reads a policy's compiled text. Throws on whatever it does not wholly understand. */
export type PolicyParser = (compiled: string) => Policy;

/** A secret's text, and for a while after a rotation the one before it. */
export type Secret = { readonly current: string; readonly previous?: string };

/** Secrets by name. `maxAgeMs`: how old the answer may be. Throws where it cannot be read: then nothing is believed. */
export type Secrets = { readonly get: (name: string, maxAgeMs?: number) => Promise<Secret> };

/**
 * Reads one chain through all endpoints that it has. What any of them showed counts; where they
 * disagree, lag or fail, `doubts` says so. Nothing here decides what an outflow means.
 * Fail direction: what no endpoint answers throws, and the caller's cursor stays where it is.
 *
 * @throws {ChainReader.UnavailableError} no endpoint gave a usable answer.
 */
export type ChainReader = {
  /** The newest block that any endpoint has. */
  readonly head: () => Promise<WithDoubts<{ readonly head: Block.Header }>>;
  /** The header at a height, as most endpoints have it; absent above the head. */
  readonly header: (number: number) => Promise<Block.Header | undefined>;
  /** One block; absent above the head. */
  readonly block: (
    number: number,
  ) => Promise<WithDoubts<{ readonly block: Block.Block | undefined }>>;
  /**
   * The blocks of a range, both ends included, each the parent of the next: to fill a gap. They end
   * before `to` where no endpoint has the rest.
   */
  readonly blocks: (range: {
    readonly from: number;
    readonly to: number;
  }) => Promise<WithDoubts<{ readonly blocks: readonly Block.Block[] }>>;
  /** Transactions from watched wallets that wait to be mined, where an endpoint shows them. */
  readonly pending: () => Promise<WithDoubts<{ readonly pending: readonly Block.Pending[] }>>;
};

/** Something that was read, and why it may not be all. */
export type WithDoubts<T> = T & { readonly doubts: readonly Block.Doubt[] };
