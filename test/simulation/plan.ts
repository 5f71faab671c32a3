/** What happens in one schedule, drawn from its seed: the world's side of it. The faults are drawn on the way. */

import type { Transfer } from '../../lib/domain/withdrawal.ts';
import * as Build from '../support/builders.ts';
import { drawRates, NO_FAULTS, type Rates } from './faults.ts';
import { hasSteps, POLICIES, variantOf } from './policies.ts';
import { createRandom, mixSeeds, type Random } from './random.ts';
import type { Release } from './releases.ts';

/** One unit of value that may leave. Its amount tells it from every other one of its schedule. */
export type Unit = {
  readonly number: number;
  readonly withdrawalId: string;
  readonly transaction: string;
  readonly transfer: Transfer;
  /** Where its outflow stands in its transaction. */
  readonly place: 'top' | 'log:0';
  /** What its transaction costs the wallet, in ETH. */
  readonly feeWei: bigint;
};

/** What the chain does with a transaction: it stays, is taken off and comes back, or is gone. */
export type Fortune = 'stays' | 'comes-back' | 'gone';

/**
 * What becomes of an admission. `sign`: it leaves. `idle`: it is never signed, which is said when the
 * admission is over. `boast`: it is said not to be signed while it lives, and is signed afterwards.
 * `cancel`: it is signed, and its nonce is spent otherwise.
 */
export type Fate = 'sign' | 'idle' | 'boast' | 'cancel';

/** A withdrawal that is asked for before it is signed. */
export type Asked = {
  readonly unit: Unit;
  readonly fate: Fate;
  readonly signDelayMs: number;
  readonly seenDelayMs: number;
  readonly chain: Fortune;
  readonly isSettled: boolean;
  /** It is said never to have been signed, long after its outflow was seen. */
  readonly isDenied: boolean;
  /** Asked for once more after this time, if at all. */
  readonly againMs?: number;
};

/** What one operator does about a proposal, so long after it was made; each signs it as it is then. */
export type Signing = {
  readonly operator: number;
  readonly inMs: number;
  readonly isVeto: boolean;
};

/** One thing that somebody does. */
export type Operation =
  | { readonly kind: 'reserve'; readonly atMs: number; readonly asked: readonly Asked[] }
  | {
      readonly kind: 'report';
      readonly atMs: number;
      readonly unit: Unit;
      readonly reportDelayMs: number;
      readonly seenDelayMs: number;
      readonly isNamed: boolean;
      readonly chain: Fortune;
      readonly hasConflict: boolean;
    }
  | {
      readonly kind: 'theft';
      readonly atMs: number;
      readonly unit: Unit;
      readonly chain: Fortune;
      /** The withdrawal that it claims to be, which nobody approved. */
      readonly claims?: string;
    }
  | { readonly kind: 'poison'; readonly atMs: number; readonly unit: Unit }
  | { readonly kind: 'pause'; readonly atMs: number; readonly scope: string }
  | {
      readonly kind: 'resume';
      readonly atMs: number;
      /** It names what was stopped beside its incident, or leaves that stopped. */
      readonly isWhole: boolean;
      /** Where several have to sign: who does, whether steps are left out, whether a limit counts anew. */
      readonly signings: readonly Signing[];
      readonly isAtOnce: boolean;
      readonly isRebased: boolean;
    }
  | {
      readonly kind: 'policy';
      readonly atMs: number;
      readonly policy: number;
      /** Where several have to sign for it: who does. */
      readonly signings: readonly Signing[];
    }
  | {
      readonly kind: 'panic';
      readonly atMs: number;
      readonly scope: string;
      /** Of each limit of the scope from now on; absent: it is paused. */
      readonly shareBps?: number;
      readonly operator: number;
    }
  | { readonly kind: 'flag'; readonly atMs: number; readonly unit: Unit }
  /** A record at which the function that reads it dies. */
  | { readonly kind: 'killer'; readonly atMs: number }
  /** People send again what lies aside. */
  | { readonly kind: 'redrive'; readonly atMs: number }
  | {
      readonly kind: 'deploy';
      readonly atMs: number;
      readonly host: number;
      readonly release: Release;
    }
  | {
      readonly kind: 'jump';
      readonly atMs: number;
      readonly host: number;
      readonly skewMs: number;
    };

/** One schedule. */
export type Plan = {
  readonly seed: number;
  readonly startMs: number;
  readonly policy: number;
  readonly rates: Rates;
  /** How far each host's clock is ahead, ms. */
  readonly skewsMs: readonly number[];
  readonly signerSkewMs: number;
  /** Outflows are seen by the real watcher on a chain of blocks, or come as events. */
  readonly isWatched: boolean;
  /** Leases are renewed by the real tick and run out, or hold for a day. */
  readonly isLeased: boolean;
  /** A newer version of the code is brought to the hosts, one after the other, and perhaps taken back. */
  readonly isDeployed: boolean;
  /** Times at which the node of the chain does not answer. */
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** Deliveries of one message before it is put aside. */
  readonly receivesMax: number;
  /** Write units that one item takes in a second. */
  readonly itemUnits: number;
  readonly operations: readonly Operation[];
  readonly endMs: number;
};

/** Kinds of schedules. */
const WORKLOADS = [
  'quiet',
  'edges',
  'drain',
  'structuring',
  'griefing',
  'resuming',
  'mixed',
  'mixed',
] as const;
type Workload = (typeof WORKLOADS)[number];

/** Withdrawals and outflows of each workload, at most, and how large they are, USD. */
const SIZES: Readonly<Record<Workload, { most: number; dollars: readonly number[] }>> = {
  quiet: { most: 3, dollars: [5, 20, 80] },
  edges: { most: 8, dollars: [200, 500, 900] },
  drain: { most: 8, dollars: [700, 1_200, 1_900] },
  structuring: { most: 12, dollars: [180, 190, 199] },
  griefing: { most: 8, dollars: [1, 2_500, 40] },
  resuming: { most: 16, dollars: [20, 60, 400, 1_200] },
  mixed: { most: 6, dollars: [60, 200, 450, 950] },
};

const WALLETS = [Build.HOT_1, Build.HOT_1, Build.HOT_2, Build.HOT_3] as const;
const SPAN_MS = 100_000;
const SLOT_MS = 6_000;
const WINDOW_MS = 60_000;

/** The schedule of a seed. */
export function planOf(seed: number): Plan {
  const random = createRandom(mixSeeds(seed, 1));
  const workload = random.pick(WORKLOADS);
  const startMs = Build.T0_MS + random.int(86_400_000);
  const rates = random.chance(0.1) ? NO_FAULTS : drawRates(random);
  const isOff = random.chance(0.3);
  const skew = () => (random.chance(isOff ? 0.3 : 0) ? 600_000 : 4_000) * (random.next() - 0.5);
  // One host at least can tell the time, or nothing would ever be decided.
  const good = Math.round(3_000 * (random.next() - 0.5));
  const skewsMs = [good, ...Array.from({ length: 1 + random.int(3) }, () => Math.round(skew()))];
  // Small schedules are many: what two or three events can break is found there first.
  const count = 1 + Math.floor(SIZES[workload].most * random.next() ** 2.5);
  const isWatched = random.chance(0.2);
  const isLeased = random.chance(0.2);
  const variant = { isWatched, isLeased };
  const units = Array.from({ length: count }, (_, number) =>
    drawUnit(random, { workload, number, isWatched }),
  );
  const times = units.map(() => startMs + 1_000 + drawTime(random, workload, startMs));
  const money = units.map((unit, at) => drawMoney(random, unit, times[at] ?? startMs));
  const trouble = drawTrouble(random, { startMs, hosts: skewsMs.length });
  const isDeadly = trouble.some(({ kind }) => kind === 'killer');
  const operations = [
    ...together(random, money),
    ...drawOperators(random, { startMs, units, times, variant }),
    ...trouble,
    ...(workload === 'resuming' ? drawResuming(random, startMs) : []),
  ];
  return {
    seed,
    startMs,
    policy: variantOf(drawPolicy(random, workload), variant),
    rates,
    skewsMs,
    signerSkewMs: random.int(4_000) - 2_000,
    isWatched,
    isLeased,
    isDeployed: operations.some(({ kind }) => kind === 'deploy'),
    outages: isWatched ? drawOutages(random, startMs) : [],
    receivesMax: isDeadly ? 2 : random.pick([3, 30]),
    itemUnits: random.chance(0.8) ? 1_000 : 6 + random.int(40),
    operations: operations.sort((one, other) => one.atMs - other.atMs),
    endMs: startMs + SPAN_MS,
  };
}

/** Who resumes does so in steps, where a few tries find a policy that has some. */
function drawPolicy(random: Random, workload: Workload): number {
  const tries = Array.from({ length: 4 }, () => random.int(POLICIES));
  const [first = 0] = tries;
  return workload === 'resuming' ? (tries.find(hasSteps) ?? first) : first;
}

/** Something is paused early and resumes while most of the money is still to come. */
function drawResuming(random: Random, startMs: number): readonly Operation[] {
  const atMs = startMs + 500 + random.int(5_000);
  const scope = random.pick([
    'global',
    'wallet:hot-1',
    'key-domain:vault-a',
    `asset:${Build.USDC}`,
    'actor:actor-0',
    'chain:eip155:1',
    `destination:eip155:1:0x${'d'.repeat(39)}0`,
  ]);
  return [
    { kind: 'pause', atMs, scope },
    drawResume(random, atMs + 1_000 + random.int(10_000)),
    drawResume(random, atMs + 30_000 + random.int(40_000)),
  ];
}

/** Bursts lie at both sides of the edge of a slot, or of two windows that follow each other. */
function drawTime(random: Random, workload: Workload, startMs: number): number {
  if (workload === 'drain') return random.int(20_000);
  if (workload !== 'edges') return random.int(SPAN_MS);
  const edge = random.chance(0.5) ? SLOT_MS : WINDOW_MS;
  const many = 1 + random.int(Math.floor(SPAN_MS / edge));
  const toEdge = edge - ((startMs + 1_000) % edge);
  return Math.max(0, Math.min(SPAN_MS, toEdge + (many - 1) * edge + random.int(60) - 30));
}

/** Long enough for a lease to run out, or not. */
function drawOutages(random: Random, startMs: number): Plan['outages'] {
  if (random.chance(0.5)) return [];
  const fromMs = startMs + random.int(SPAN_MS);
  return [{ fromMs, toMs: fromMs + 5_000 + random.int(90_000) }];
}

/** What happens to hosts and queues. The first host can always tell the time. */
function drawTrouble(
  random: Random,
  about: { readonly startMs: number; readonly hosts: number },
): readonly Operation[] {
  const { startMs, hosts } = about;
  const some = (share: number, most: number) =>
    random.chance(share)
      ? Array.from({ length: 1 + random.int(most) }, () => startMs + random.int(SPAN_MS))
      : [];
  const [deployedMs] = some(0.2, 1);
  const isTakenBack = random.chance(0.3);
  const deploys = Array.from({ length: deployedMs === undefined ? 0 : hosts }, (_, host) => {
    const atMs = Math.min((deployedMs ?? 0) + random.int(10_000), startMs + SPAN_MS - 2);
    const newer = { kind: 'deploy' as const, atMs, host, release: 'newer' as const };
    const backMs = Math.min(atMs + random.int(20_000), startMs + SPAN_MS - 1);
    return isTakenBack ? [newer, { ...newer, atMs: backMs, release: 'older' as const }] : [newer];
  });
  return [
    ...deploys.flat(),
    ...some(0.1, 1).map((atMs) => ({ kind: 'killer' as const, atMs })),
    ...some(0.2, 2).map((atMs) => ({ kind: 'redrive' as const, atMs })),
    ...some(0.2, 3).map((atMs) => {
      const skewMs = random.chance(0.4) ? 0 : Math.round(600_000 * (random.next() - 0.5));
      return { kind: 'jump' as const, atMs, host: 1 + random.int(hosts - 1), skewMs };
    }),
  ];
}

function drawUnit(
  random: Random,
  about: { readonly workload: Workload; readonly number: number; readonly isWatched: boolean },
): Unit {
  const { workload, number, isWatched } = about;
  const isEth = random.chance(0.2);
  const whole = random.pick(SIZES[workload].dollars);
  const dollars = Math.max(3, Math.round(whole * (0.6 + 0.4 * random.next())));
  // Whole micro-USD either way: 1500 USD are 10^18 wei.
  const amount = isEth
    ? ((BigInt(dollars) * 10n ** 18n) / 1_500n / 10n ** 12n) * 10n ** 12n +
      BigInt(number) * 10n ** 12n
    : Build.usd(dollars) + BigInt(number);
  const isOneActor = workload === 'griefing' && random.chance(0.7);
  return {
    number,
    withdrawalId: `w-${number}`,
    transaction: `0x${number.toString(16).padStart(64, '0')}`,
    place: isWatched && !isEth ? 'log:0' : 'top',
    feeWei: random.chance(0.3) ? BigInt(1 + random.int(9)) * 10n ** 14n : 0n,
    transfer: {
      account: random.pick(WALLETS),
      asset: isEth ? Build.ETH : Build.USDC,
      destination: `eip155:1:0x${'d'.repeat(39)}${random.int(3)}`,
      memo: !isWatched && random.chance(0.25) ? `tag-${random.int(2)}` : undefined,
      actor: isOneActor ? 'actor-0' : random.pick([undefined, 'actor-0', 'actor-1', 'actor-2']),
      amount,
    },
  };
}

function drawMoney(random: Random, unit: Unit, atMs: number): Operation {
  const chain = random.pick<Fortune>(['stays', 'stays', 'stays', 'stays', 'comes-back', 'gone']);
  const drawn = random.next();
  if (drawn < 0.03) return { kind: 'poison', atMs, unit };
  if (drawn < 0.08) {
    const claims = random.chance(0.3) ? { claims: `never-${unit.number}` } : {};
    return { kind: 'theft', atMs, unit, chain, ...claims };
  }
  if (drawn < 0.4) {
    const isEarly = random.chance(0.15);
    return {
      kind: 'report',
      atMs,
      unit,
      reportDelayMs: isEarly ? 3_000 + random.int(10_000) : random.int(1_000),
      seenDelayMs: isEarly ? random.int(3_000) : 1_000 + random.int(20_000),
      isNamed: random.chance(0.2),
      chain,
      hasConflict: random.chance(0.04),
    };
  }
  const asked: Asked = {
    unit,
    fate: random.pick<Fate>(['sign', 'sign', 'sign', 'sign', 'idle', 'boast', 'cancel']),
    signDelayMs: random.chance(0.5) ? random.int(1_500) : random.int(36_000),
    seenDelayMs: random.int(15_000),
    chain,
    isSettled: random.chance(0.3),
    isDenied: random.chance(0.1),
    ...(random.chance(0.25) ? { againMs: random.int(80_000) } : {}),
  };
  return { kind: 'reserve', atMs, asked: [asked] };
}

/** Some reservations are asked for in one call. */
function together(random: Random, operations: readonly Operation[]): readonly Operation[] {
  const grouped: Operation[] = [];
  for (const operation of operations) {
    const last = grouped.at(-1);
    const isJoined =
      operation.kind === 'reserve' && last?.kind === 'reserve' && random.chance(0.25);
    if (!isJoined) grouped.push(operation);
    else grouped.splice(-1, 1, { ...last, asked: [...last.asked, ...operation.asked] });
  }
  return grouped;
}

function drawSignings(random: Random): readonly Signing[] {
  return Array.from({ length: 1 + random.int(4) }, () => ({
    operator: random.int(3),
    inMs: 500 + random.int(random.chance(0.7) ? 3_000 : 30_000),
    isVeto: random.chance(0.1),
  }));
}

function drawResume(random: Random, atMs: number): Operation {
  return {
    kind: 'resume',
    atMs,
    isWhole: random.chance(0.6),
    signings: drawSignings(random),
    isAtOnce: random.chance(0.25),
    isRebased: random.chance(0.6),
  };
}

/** People, who act at the worst moment or at any. */
function drawOperators(
  random: Random,
  about: {
    readonly startMs: number;
    readonly units: readonly Unit[];
    readonly times: readonly number[];
    readonly variant: Pick<Plan, 'isWatched' | 'isLeased'>;
  },
): readonly Operation[] {
  const { startMs, units, times, variant } = about;
  const anyTime = () =>
    random.chance(0.5)
      ? startMs + 1_000 + random.int(SPAN_MS)
      : random.pick(times) + random.int(400);
  const some = (share: number, most: number) =>
    random.chance(share) ? Array.from({ length: 1 + random.int(most) }, anyTime) : [];
  const scopeOf = ({ transfer }: Unit) =>
    transfer.memo !== undefined && random.chance(0.6)
      ? `destination:${transfer.destination}`
      : random.pick([
          'global',
          'wallet:hot-1',
          'key-domain:vault-a',
          `destination:${transfer.destination}`,
          `asset:${Build.USDC}`,
          'actor:actor-0',
        ]);
  return [
    ...some(0.4, 2).map((atMs) => {
      const at = random.int(units.length);
      const unit = units[at] ?? random.pick(units);
      const isWorst = random.chance(0.6);
      const worstMs = (times[at] ?? atMs) + random.int(200);
      return { kind: 'pause' as const, atMs: isWorst ? worstMs : atMs, scope: scopeOf(unit) };
    }),
    ...some(0.6, 4).map((atMs) => drawResume(random, atMs)),
    ...some(0.35, 3).map((atMs) => ({
      kind: 'policy' as const,
      atMs,
      policy: variantOf(random.int(POLICIES), variant),
      signings: drawSignings(random),
    })),
    ...some(0.2, 3).map((atMs) => ({
      kind: 'panic' as const,
      atMs,
      scope: random.chance(0.4) ? 'global' : scopeOf(random.pick(units)),
      ...(random.chance(0.5) ? { shareBps: random.pick([1_000, 5_000]) } : {}),
      operator: random.int(3),
    })),
    ...some(0.3, 2).map((atMs) => ({ kind: 'flag' as const, atMs, unit: random.pick(units) })),
  ];
}
