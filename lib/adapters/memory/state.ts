/** What the in-memory store holds. */

import type * as Audit from '../../domain/audit.ts';
import type { Balance } from '../../domain/balance.ts';
import type { Cause, Incident } from '../../domain/breaker.ts';
import type { ChainId } from '../../domain/caip.ts';
import type { Leases } from '../../domain/flag.ts';
import type { Sight } from '../../domain/health.ts';
import type * as Ledger from '../../domain/ledger.ts';
import type * as Proposal from '../../domain/proposal.ts';
import type { Held } from '../../domain/queue.ts';
import type * as Scope from '../../domain/scope.ts';
import type * as Watch from '../../domain/watch.ts';
import type { ControlRecord, FlagMirror, Prices, Versioned } from '../../ports.ts';

/** Everything that is stored. Mutable inside this folder and nowhere else. */
export type State = {
  readonly rows: Map<string, Ledger.Row>;
  readonly items: Map<Scope.Key, Ledger.Item>;
  readonly incidents: Map<string, Incident>;
  /** Further causes by incident, then by number. */
  readonly causes: Map<string, Map<number, Cause>>;
  readonly alerts: Map<string, Ledger.Alert>;
  /** Held withdrawals by queue and row. */
  readonly held: Map<string, Held>;
  /** Outflows whose grace runs, by end and row. */
  readonly graces: Map<string, Ledger.GraceWrite['grace']>;
  /** What watchers remember, by chain. */
  readonly watches: Map<string, Watch.State>;
  readonly sights: Map<ChainId, Sight>;
  prices: Versioned<Prices>;
  /** By scope. */
  readonly balances: Map<string, Versioned<Balance>>;
  readonly policies: Map<number, Ledger.StoredPolicy>;
  readonly proposals: Map<string, Proposal.Proposal>;
  /** Texts of policies that are proposed, by hash. */
  readonly drafts: Map<string, Ledger.DraftPolicy>;
  readonly pages: Map<string, number>;
  /** The decisions committed last, oldest first: one that is asked for again is not done again. */
  readonly decisions: Set<string>;
  readonly health: {
    heartbeat: Ledger.Heartbeat | undefined;
    stuckAtMs: number | undefined;
    leases: Leases;
    leasesAtMs: number;
    flag: FlagMirror | undefined;
  };
  readonly audit: {
    readonly entries: Map<string, Audit.Entry>;
    readonly links: Audit.Link[];
    readonly deferred: Map<string, Audit.Entry>;
    seal: Audit.Seal | undefined;
    copied: number;
  };
  readonly onControlChange: (record: ControlRecord) => void;
};

/** An empty state. */
export function createState(onControlChange: (record: ControlRecord) => void): State {
  return {
    rows: new Map(),
    items: new Map(),
    incidents: new Map(),
    causes: new Map(),
    alerts: new Map(),
    held: new Map(),
    graces: new Map(),
    watches: new Map(),
    sights: new Map(),
    prices: { version: 0, value: { quotes: new Map(), askedAtMs: 0 } },
    balances: new Map(),
    policies: new Map(),
    proposals: new Map(),
    drafts: new Map(),
    pages: new Map(),
    decisions: new Set(),
    health: {
      heartbeat: undefined,
      stuckAtMs: undefined,
      leases: {},
      leasesAtMs: Number.NEGATIVE_INFINITY,
      flag: undefined,
    },
    audit: {
      entries: new Map(),
      links: [],
      deferred: new Map(),
      seal: undefined,
      copied: 0,
    },
    onControlChange,
  };
}
