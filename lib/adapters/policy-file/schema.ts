/**
 * The shape of a policy file: fields, words and forms. What only shows between entries (names given
 * twice, a pattern that nothing matches) is checked in `check.ts` and `check-limit.ts`.
 */

import * as z from 'zod/mini';
import * as Scope from '../../domain/scope.ts';
import * as Scalar from './scalar.ts';

/** Limits of one policy at most: every event is held against all of them. */
export const LIMITS_MAX = 256;

/**
 * Scopes that money nobody vouches for may open. It names no customer, and a thief changes the
 * destination, so neither would stop anything.
 */
const WIDE_KINDS = ['wallet-asset', 'wallet', 'asset', 'chain', 'key-domain', 'global'] as const;

const kind = Scalar.word(Scope.KINDS);
const wideKind = Scalar.word(WIDE_KINDS);
const mode = Scalar.word(['enforce', 'shadow']);
/** The life of an admission. Verifiers refuse one above (`lib/client/admission-claims.ts`). */
const admission = Scalar.duration({ least: '1s', most: '15m' });

/** A chain. */
export const CHAIN = fields(
  {
    id: Scalar.chainPattern,
    name: Scalar.label,
    watch: z.optional(
      fields(
        {
          confirmations: z.prefault(Scalar.confirmations, '0'),
          blindAfter: z.prefault(Scalar.duration({ least: '5s', most: '2h' }), '2m'),
        },
        'that the chain itself is watched, and when it counts as blind',
      ),
    ),
    observed: z._default(Scalar.flag(['true', 'false']), 'false'),
  },
  'a chain or a pattern of chains',
);

const price = fields(
  {
    chainlink: z.optional(
      fields(
        {
          chain: Scalar.evmChain,
          feed: Scalar.evmAddress,
          maxAge: Scalar.duration({ least: '1m', most: '3d' }),
        },
        'a Chainlink feed, and the age above which people are told',
      ),
    ),
    http: z.optional(
      fields(
        { id: Scalar.priceId, maxAge: Scalar.duration({ least: '1m', most: '3d' }) },
        'an id of the HTTP provider, and the age above which people are told',
      ),
    ),
    keep: z.prefault(Scalar.duration({ least: '1m', most: '7d' }), '24h'),
  },
  'where the price is read; the highest of these and the floor counts',
);

/** An asset. */
export const ASSET = fields(
  {
    id: Scalar.assetPattern,
    symbol: Scalar.label,
    decimals: Scalar.decimals,
    floorPriceUsd: z.optional(Scalar.price),
    price: z.optional(price),
    sameAs: z.optional(Scalar.assetId),
  },
  'an asset or a pattern of assets, never valued below floorPriceUsd for one whole token',
);

/** A wallet. */
export const WALLET = fields(
  {
    name: Scalar.name,
    keyDomain: Scalar.name,
    addresses: list(Scalar.accountId, {
      add: 'the address that it pays from, such as "eip155:1:0x…"',
    }),
    admission: z.optional(admission),
    floors: z.optional(
      z.array(
        fields(
          { asset: Scalar.assetId, amount: Scalar.tokens },
          'a balance below which people are told',
        ),
      ),
    ),
    canary: z._default(Scalar.word(['true', 'false']), 'false'),
  },
  'a hot wallet; wallets of one key domain lose their keys together',
);

const where = fields(
  {
    wallet: z.optional(Scalar.textPattern),
    keyDomain: z.optional(Scalar.textPattern),
    chain: z.optional(Scalar.chainPattern),
    asset: z.optional(Scalar.assetPattern),
    destination: z.optional(Scalar.accountPattern),
    actor: z.optional(Scalar.textPattern),
  },
  'narrows the limit by pattern; only fields that the scope fixes',
);

const pause = fields({ pause: kind }, 'opens the breaker of the named scope');

/** A limit. */
export const LIMIT = fields(
  {
    id: Scalar.name,
    scope: kind,
    where: z.optional(where),
    metric: Scalar.word(['notional', 'amount', 'count', 'single', 'assets', 'share']),
    window: z.optional(Scalar.window),
    limit: Scalar.allowed,
    warn: z.optional(Scalar.warnBps),
    action: z.union([z.enum(['pause', 'hold', 'alert']), pause], {
      error: (issue) =>
        `${lack(issue.input) ?? 'is not an action'}; use pause, hold, alert or { pause: <scope> } with a scope of ${Scope.KINDS.join(', ')}`,
    }),
    tripOnRefusal: z._default(Scalar.flag(['true', 'false']), 'false'),
    mode: z._default(mode, 'enforce'),
  },
  'a sum equal to the limit passes, one unit more breaches',
);

/** Operators of one policy at most, and people to call. */
const PEOPLE_MAX = 50;
/** Steps of one resume at most. */
const STEPS_MAX = 12;

/** An operator. */
export const OPERATOR = fields(
  {
    name: Scalar.name,
    address: Scalar.evmAddress,
    roles: list(Scalar.word(['pause', 'resume', 'panic']), { add: 'pause, resume or panic' }),
    contact: z.optional(Scalar.reach),
    iam: z.optional(Scalar.textPattern),
  },
  'a person or partner, by an externally owned account; panic may pause and tighten only',
);

const step = fields(
  {
    share: Scalar.shareBps,
    for: Scalar.duration({ least: '1s', most: '7d' }),
    chains: z.optional(list(Scalar.chainPattern, { add: 'a chain, or leave the field out' })),
    assets: z.optional(list(Scalar.assetPattern, { add: 'an asset, or leave the field out' })),
  },
  'a share of each limit, on what leaves since the step began; only of what it names',
);

/** How a breaker is closed again, where it is more than the word `trial`. */
export const RESUME = fields(
  {
    trial: z.optional(Scalar.flag(['true'])),
    quorum: z.optional(Scalar.quorum),
    pauserCounts: z._default(Scalar.flag(['true', 'false']), 'false'),
    budgetUsd: z.optional(Scalar.usd),
    steps: z.optional(
      list(step, { add: 'a step such as { share: 10%, for: 1h }' }).check(
        z.maxLength(STEPS_MAX, { error: `has more than ${STEPS_MAX} steps; use fewer` }),
      ),
    ),
  },
  'who may resume, and in which steps; budgetUsd is what 100% means where a scope has no limit in USD',
);

const contact = fields(
  {
    name: Scalar.label,
    kind: Scalar.word(['issuer', 'exchange', 'law-enforcement', 'security', 'other']),
    assets: z.optional(list(Scalar.assetPattern, { add: 'an asset, or leave the field out' })),
    reach: Scalar.reach,
  },
  'somebody to call when money is gone; nothing is decided by it',
);

function people<Entry extends z.core.$ZodType>(entry: Entry, what: string) {
  return z
    .array(entry, { error: (issue) => `${lack(issue.input) ?? 'must be a list'}; add ${what}` })
    .check(z.maxLength(PEOPLE_MAX, { error: `has more than ${PEOPLE_MAX} entries; use fewer` }));
}

const unknownRule = z.prefault(
  fields(
    {
      withdrawal: z._default(Scalar.word(['block', 'hold', 'allow']), 'block'),
      outflow: z._default(Scalar.word(['pause', 'alert']), 'pause'),
      scope: z._default(wideKind, 'wallet'),
    },
    'what is done before and after the money left',
  ),
  {},
);

/** The times. */
export const TIMING = fields(
  {
    clockTolerance: z.prefault(Scalar.duration({ least: '2s', most: '1m' }), '2s'),
    admission: z.prefault(admission, '30s'),
    commitDelay: z.prefault(Scalar.duration({ least: '6s', most: '1m' }), '6s'),
    lease: z.prefault(Scalar.duration({ least: '15s', most: '15m' }), '180s'),
  },
  'times that windows are widened by, and the life of a lease',
);

/** A policy file. Input: the text of every scalar. Output: domain values, except for what needs other entries. */
export const POLICY_FILE = fields(
  {
    version: Scalar.word(['1']).register(Scalar.HINTS, {
      type: ['string', 'number'],
      enum: [1, '1'],
    }),
    name: Scalar.name,
    mode,
    resume: z.union([z.enum(['trial']), RESUME], {
      error: (issue) =>
        `${lack(issue.input) ?? 'says nobody who may resume'}; use trial, or { quorum: 2, budgetUsd: "1000000", steps: [{ share: 10%, for: 1h }] }`,
    }),
    operators: z.optional(
      people(OPERATOR, 'an operator such as { name: alice, address: "0x…", roles: [resume] }'),
    ),
    changes: z.prefault(
      fields(
        { delay: z.prefault(Scalar.duration({ least: '0s', most: '14d' }), '24h') },
        'how long after the consent of the quorum what loosens comes into force',
      ),
      {},
    ),
    contacts: z.optional(
      people(contact, 'somebody such as { name: Circle, kind: issuer, reach: "…" }'),
    ),
    chains: list(CHAIN, { add: 'a chain such as { id: "eip155:1", name: Ethereum }' }),
    assets: list(ASSET, {
      add: 'an asset such as { id: "eip155:1/slip44:60", symbol: ETH, decimals: 18, floorPriceUsd: "1500" }',
    }),
    wallets: list(WALLET, {
      add: 'a hot wallet such as { name: eth-hot-1, keyDomain: hot-vault, addresses: ["eip155:1:0x…"] }',
    }),
    limits: list(LIMIT, {
      add: 'a limit such as { id: all-hour, scope: global, metric: notional, window: 1h, limit: "1000000", action: pause }',
    }).check(
      z.maxLength(LIMITS_MAX, {
        error: `has more than ${LIMITS_MAX} limits; merge some by pattern`,
      }),
    ),
    unknown: z.prefault(
      fields(
        { wallet: unknownRule, asset: unknownRule, chain: unknownRule, price: unknownRule },
        'money of which something is unknown',
      ),
      {},
    ),
    unmatched: z.prefault(
      fields(
        {
          scope: z._default(wideKind, 'key-domain'),
          risks: z._default(Scalar.word(['pause', 'alert']), 'pause'),
        },
        'an outflow that nobody approved, and what often comes before one',
      ),
      {},
    ),
    conflict: z.prefault(
      fields({ scope: z._default(wideKind, 'wallet') }, 'one id with two bodies'),
      {},
    ),
    matching: z.prefault(
      fields(
        {
          deductedFeeMaxUsd: z.prefault(Scalar.usd, '0'),
          grace: z.prefault(Scalar.duration({ least: '0s', most: '10m' }), '0s'),
          unseen: z.prefault(Scalar.duration({ least: '5m', most: '7d' }), '24h'),
        },
        'how outflows are matched with what was approved',
      ),
      {},
    ),
    own: z.optional(z.array(Scalar.accountId)),
    reservations: z.prefault(
      fields(
        {
          outstandingPerActor: z.prefault(Scalar.outstandingMax, '100'),
          overdue: z.prefault(Scalar.duration({ least: '5m', most: '7d' }), '6h'),
        },
        'withdrawals that were admitted and whose outcome is open',
      ),
      {},
    ),
    timing: z.prefault(TIMING, {}),
  },
  'a Breakwater policy',
);

/** A policy file of the right shape. */
export type PolicyFile = z.output<typeof POLICY_FILE>;
/** A chain of the right shape. */
export type Chain = z.output<typeof CHAIN>;
/** An asset of the right shape. */
export type Asset = z.output<typeof ASSET>;
/** A wallet of the right shape. */
export type Wallet = z.output<typeof WALLET>;
/** A limit of the right shape. */
export type Limit = z.output<typeof LIMIT>;
/** How a breaker is closed again: the word `trial`, or a map. */
export type Resume = PolicyFile['resume'];
/** An operator of the right shape. */
export type Operator = z.output<typeof OPERATOR>;
/** The times, ms. */
export type Timing = z.output<typeof TIMING>;

/** A map with exactly these fields. For a field too many the error holds the known ones. */
function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape, description: string) {
  const known = Object.keys(shape).join(', ');
  return z
    .strictObject(shape, {
      error: (issue) => {
        if (issue.code === 'unrecognized_keys') return known;
        return `${lack(issue.input) ?? 'must be a map'}; its fields are ${known}`;
      },
    })
    .register(Scalar.HINTS, { description });
}

/** A list of at least one entry; the file's size bounds it. */
function list<Entry extends z.core.$ZodType>(entry: Entry, parameters: { readonly add: string }) {
  const { add } = parameters;
  return z
    .array(entry, {
      error: (issue) => `${lack(issue.input) ?? 'must be a list'}; add ${add}`,
    })
    .check(z.minLength(1, { error: `is empty; add ${add}` }));
}

/** How an input is no value at all, if it is none. */
function lack(input: unknown): string | undefined {
  if (input === undefined) return 'is missing';
  return input === '' ? 'is empty' : undefined;
}
