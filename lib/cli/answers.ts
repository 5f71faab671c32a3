/**
 * What the service answers, read into narrow types. Fields that this version does not know are
 * ignored here, and still printed by `--json`, which shows the answer as it came.
 */

import * as z from 'zod/mini';
import type { AccountId, AssetId } from '../domain/caip.ts';
import type { Retired } from '../domain/policy.ts';

/** A time in ms that a `Date` can hold. */
const atMs = z.number().check(z.int(), z.gte(-8.64e15), z.lte(8.64e15));
/** A bigint, as it travels. */
const units = z.pipe(
  z.string().check(z.regex(/^\d{1,80}$/)),
  z.transform((text: string) => BigInt(text)),
);

const CAUSE = z.object({
  kind: z.string(),
  atMs,
  rowId: z.string(),
  text: z.string(),
  notional: units,
  actor: z.optional(z.string()),
  /** It opened the breaker again while that was resuming: the opening that this began. */
  reopened: z.optional(z.number()),
});

const INCIDENT = z.object({
  incidentId: z.string(),
  scope: z.string(),
  epoch: z.number(),
  openedAtMs: atMs,
  first: CAUSE,
  policyVersion: z.number(),
  state: z.enum(['open', 'closed']),
  closed: z.optional(z.object({ atMs, actor: z.string(), reason: z.string() })),
  /** Present once it was resumed in steps: its last resume, which a later cause may have ended. */
  resuming: z.optional(
    z.object({
      atMs,
      actors: z.array(z.string()),
      reason: z.string(),
      epoch: z.optional(z.number()),
    }),
  ),
  /** The incident whose money it belongs to, where it was stopped along with it. */
  quarantinedBy: z.optional(z.string()),
  /** It made limits tighter, basis points; its breaker is closed. */
  overlay: z.optional(z.number()),
});

/** Where a resume in steps stands. */
const STEP = z.object({
  number: z.number(),
  of: z.number(),
  shareBps: z.number(),
  sinceMs: atMs,
  untilMs: atMs,
  next: z.enum(['step', 'closed']),
});

/** Answer to `incidents`. */
export const INCIDENTS = z.array(INCIDENT);

/** Answer to `incident`. */
export const INCIDENT_WITH_CAUSES = z.object({ incident: INCIDENT, causes: z.array(CAUSE) });

/** Answer to `status`. */
export const STATUS = z.object({
  atMs,
  policy: z.object({
    name: z.string(),
    version: z.number(),
    hash: z.string(),
    mode: z.enum(['enforce', 'shadow']),
    resume: z.enum(['trial', 'quorum']),
    /** Of `quorum`: how many have to sign, and whose signatures count. */
    quorum: z.optional(z.number()),
    resumers: z.optional(z.array(z.string())),
  }),
  open: z.array(
    z.extend(INCIDENT, { alsoUnmatched: z.optional(z.number()), step: z.optional(STEP) }),
  ),
  truncated: z.optional(z.boolean()),
  chains: z.array(
    z.object({
      chain: z.string(),
      inForce: z.boolean(),
      untilMs: z.optional(atMs),
      watched: z.boolean(),
      blind: z.optional(z.object({ why: z.string(), sinceMs: z.optional(atMs) })),
    }),
  ),
  heartbeat: z.optional(
    z.object({ sentAtMs: atMs, receivedAtMs: atMs, oldestWaitingMs: z.number() }),
  ),
  held: z.optional(z.object({ count: z.number(), forPeople: z.number(), oldestAtMs: atMs })),
  unproven: z.optional(z.string()),
  summary: z.enum(['enabled', 'resuming', 'paused', 'lapsed', 'no-policy']),
});

/** Answer to `limits`. */
export const LIMITS = z.object({
  lines: z.array(
    z.object({
      limitId: z.string(),
      scope: z.string(),
      metric: z.string(),
      window: z.string(),
      used: units,
      limit: units,
      headroom: units,
      usedText: z.string(),
      limitText: z.string(),
      headroomText: z.string(),
      mode: z.enum(['enforce', 'shadow']),
    }),
  ),
  truncated: z.boolean(),
  stalePrices: z.optional(
    z.array(z.object({ feed: z.string(), symbols: z.array(z.string()), text: z.string() })),
  ),
});

/** Answer to `flag`. */
export const FLAG = z.object({
  enabled: z.boolean(),
  reason: z.string(),
  text: z.string(),
  scope: z.optional(z.string()),
  incidentId: z.optional(z.string()),
  sinceMs: z.optional(atMs),
  inForceUntilMs: z.optional(atMs),
  wouldBe: z.optional(z.boolean()),
});

const RETIRED: z.ZodMiniType<Retired> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('address'),
    address: z.custom<AccountId>((value) => typeof value === 'string'),
    wallet: z.string(),
    keyDomain: z.string(),
    lastNamedMs: atMs,
  }),
  z.object({
    kind: z.literal('asset'),
    pattern: z.string(),
    decimals: z.int(),
    floorPricePicoUsd: z.optional(units),
    sameAs: z.optional(
      z.object({
        asset: z.custom<AssetId>((value) => typeof value === 'string'),
        decimals: z.int(),
      }),
    ),
    lastNamedMs: atMs,
  }),
]);

/** Answer to `policy.show`. Version 0: none was ever applied. */
export const POLICY = z.object({
  version: z.number(),
  hash: z.optional(z.string()),
  source: z.optional(z.string()),
  /** What decisions are made by; absent where an older service stored the policy. */
  compiled: z.optional(z.string()),
  appliedAtMs: z.optional(atMs),
  actor: z.optional(z.string()),
  reason: z.optional(z.string()),
  /** Absent: it was the first. */
  beforeHash: z.optional(z.string()),
  /** How many sign for a looser one in its place; 0: one alone may. */
  quorum: z.optional(z.number()),
  judged: z.optional(
    z.object({
      tightens: z.number(),
      loosens: z.number(),
      revokes: z.number(),
      neutral: z.number(),
    }),
  ),
  /** What earlier versions said of addresses and assets: no edit may move them yet. */
  retired: z.optional(z.array(RETIRED)),
  /** Random, and part of what operators sign: a signature is for one stack. */
  stackId: z.optional(z.string()),
});

/** Answer to a change. A refused one comes with another status and never reaches this. */
export const RESULT = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('paused'),
    scope: z.string(),
    incidentId: z.string(),
    already: z.boolean(),
    doubt: z.optional(z.string()),
  }),
  z.object({
    kind: z.literal('resumed'),
    scope: z.string(),
    incidentId: z.string(),
    trial: z.boolean(),
    alsoUnmatched: z.optional(z.number()),
  }),
  z.object({ kind: z.literal('policy-applied'), version: z.number(), hash: z.string() }),
  z.object({ kind: z.literal('duplicate') }),
]);

/** Answer to `withdrawal.close`. A refused one comes with another status and never reaches this. */
export const RECORDED = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('recorded'), givenBack: units }),
  z.object({ kind: z.literal('duplicate') }),
]);

/** Answer to `movement.declare`. A refused one comes with another status and never reaches this. */
export const DECLARED = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('declared'), movementId: z.string(), untilMs: atMs }),
  z.object({ kind: z.literal('duplicate') }),
]);

/** Answer to `withdrawal.release`. */
export const RELEASED = z.object({ kind: z.literal('released'), withdrawalId: z.string() });

/** Answer to `withdrawal.show`. */
export const NOTICE = z.object({
  withdrawalId: z.string(),
  state: z.string(),
  text: z.string(),
  lift: z.optional(z.string()),
  reason: z.optional(z.string()),
  sinceMs: z.optional(atMs),
  untilMs: z.optional(atMs),
  position: z.optional(z.number()),
  incidentId: z.optional(z.string()),
});

/** Answer to `withdrawal.held`. */
export const HELD = z.object({
  atMs,
  held: z.array(
    z.object({
      withdrawalId: z.string(),
      heldAtMs: atMs,
      amountText: z.string(),
      wallet: z.string(),
      destination: z.string(),
      actor: z.optional(z.string()),
      waitsFor: z.optional(
        z.object({ limitId: z.string(), scope: z.string(), position: z.number() }),
      ),
    }),
  ),
  truncated: z.boolean(),
});

/** Answer to `withdrawal.open`. */
export const OPEN = z.object({
  atMs,
  open: z.array(z.object({ withdrawalId: z.string(), chargedAtMs: atMs })),
});

const ENTRY = z.object({
  entryId: z.string(),
  atMs,
  who: z.string(),
  what: z.string(),
  scope: z.exactOptional(z.string()),
  before: z.string(),
  after: z.string(),
  reason: z.string(),
});
const LINK = z.object({
  sequence: z.int(),
  previousHash: z.string(),
  hash: z.string(),
  entry: ENTRY,
});
const SEAL = z.object({
  sequence: z.int(),
  hash: z.string(),
  jws: z.string(),
  jwk: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string(),
    y: z.string(),
    kid: z.string(),
    alg: z.literal('ES256'),
    use: z.literal('sig'),
  }),
});

/** Answer to `audit.links`. */
export const AUDIT_LINKS = z.object({
  seal: z.optional(SEAL),
  newest: z.int(),
  links: z.array(LINK),
});

/** Answer to `audit.check`. */
export const AUDIT_CHECK = z.object({
  links: z.int(),
  isWhole: z.boolean(),
  missing: z.array(z.string()),
  unfounded: z.array(z.int()),
  differsAt: z.optional(z.int()),
  waiting: z.int(),
  truncated: z.optional(z.boolean()),
});

const TRANSFER = z.object({
  account: z.string(),
  asset: z.string(),
  destination: z.string(),
  memo: z.optional(z.string()),
  actor: z.optional(z.string()),
  amount: units,
});

/** Answer to `incident.pack`. */
export const EVIDENCE = z.object({
  atMs,
  incident: INCIDENT,
  causes: z.array(CAUSE),
  entries: z.array(z.object({ sequence: z.optional(z.int()), entry: ENTRY })),
  rows: z.array(
    z.object({
      rowId: z.string(),
      state: z.string(),
      atMs,
      policyVersion: z.int(),
      amountText: z.string(),
      notional: units,
      transfer: z.optional(TRANSFER),
      sent: z.optional(z.string()),
      link: z.optional(z.string()),
      note: z.optional(z.string()),
      prices: z.array(z.object({ asset: z.string(), pricePicoUsd: units })),
    }),
  ),
  limits: z.array(
    z.object({
      limitId: z.string(),
      metric: z.string(),
      usedText: z.string(),
      allowedText: z.string(),
    }),
  ),
  policy: z.object({ version: z.int(), hash: z.string(), source: z.string() }),
  seal: z.optional(SEAL),
  contacts: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      assets: z.optional(z.array(z.string())),
      reach: z.string(),
    }),
  ),
  cutOff: z.array(z.string()),
});

/** Answer to a change that was refused. `code`: of a signature, by which the reason is documented. */
export const REFUSED = z.object({
  kind: z.literal('refused'),
  why: z.string(),
  code: z.optional(z.string()),
});

/** What stands in an answer that is no success. */
export const FAILURE = z.object({
  error: z.optional(z.string()),
  /** As AWS names it when it refuses a caller itself. */
  Message: z.optional(z.string()),
});

/** Answer to events that were accepted. */
export const ACCEPTED = z.object({ accepted: z.number() });

/** Answer to events that were not. */
export const REJECTED = z.object({
  error: z.string(),
  problems: z.optional(z.array(z.unknown())),
});

/** The policy in force as it is stored. */
export type StoredPolicy = z.output<typeof POLICY>;
/** What an incident was, to take away. */
export type Evidence = z.output<typeof EVIDENCE>;
/** One opening of a breaker. */
export type Incident = z.output<typeof INCIDENT>;
/** Why it opened, or what came after. */
export type Cause = z.output<typeof CAUSE>;
/** One incident with its causes, the first one first. */
export type IncidentWithCauses = z.output<typeof INCIDENT_WITH_CAUSES>;
/** The state of the whole stack. */
export type Status = z.output<typeof STATUS>;
/** The limits with their use. */
export type Limits = z.output<typeof LIMITS>;
/** One limit in one scope. */
export type Line = Limits['lines'][number];
/** The answer to "may withdrawals flow?". */
export type Flag = z.output<typeof FLAG>;
/** Why a withdrawal waits. */
export type Notice = z.output<typeof NOTICE>;
/** The withdrawals that are held. */
export type Held = z.output<typeof HELD>;
/** The reservations whose outcome is open. */
export type Open = z.output<typeof OPEN>;
