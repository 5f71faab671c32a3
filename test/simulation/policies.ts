/** Policies that schedules run under: the same wallets and assets, and limits that a number chooses. */

import { fromCompiled, toCompiled } from '../../lib/adapters/compiled-policy.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Build from '../support/builders.ts';
import { createRandom, mixSeeds, type Random } from './random.ts';

/** Policies that differ. */
export const POLICIES = 64;

const MINUTE_MS = 60_000;

type Shape = Pick<Policy.Limit, 'limitId' | 'scope' | 'metric' | 'windowMs' | 'allowed' | 'action'>;

const pause = (scope: Policy.Limit['scope']) => ({ kind: 'pause', scope }) as const;

/** What limits are drawn from; `allowed` is halved or doubled. Ids are the same in every policy. */
const SHAPES: readonly Shape[] = [
  {
    limitId: 'wallet-minute',
    scope: 'wallet',
    metric: 'notional',
    windowMs: MINUTE_MS,
    allowed: Build.usd(2_000),
    action: pause('wallet'),
  },
  {
    limitId: 'wallet-five',
    scope: 'wallet',
    metric: 'notional',
    windowMs: 5 * MINUTE_MS,
    allowed: Build.usd(5_000),
    action: pause('key-domain'),
  },
  {
    limitId: 'global-five',
    scope: 'global',
    metric: 'notional',
    windowMs: 5 * MINUTE_MS,
    allowed: Build.usd(8_000),
    action: pause('global'),
  },
  {
    limitId: 'actor-minute',
    scope: 'actor',
    metric: 'count',
    windowMs: MINUTE_MS,
    allowed: 4n,
    action: pause('actor'),
  },
  {
    limitId: 'destination-five',
    scope: 'destination',
    metric: 'notional',
    windowMs: 5 * MINUTE_MS,
    allowed: Build.usd(2_400),
    action: pause('destination'),
  },
  {
    limitId: 'coins-minute',
    scope: 'wallet-asset',
    metric: 'amount',
    windowMs: MINUTE_MS,
    allowed: Build.usd(1_600),
    action: pause('wallet-asset'),
  },
  {
    limitId: 'domain-quarter',
    scope: 'key-domain',
    metric: 'notional',
    windowMs: 15 * MINUTE_MS,
    allowed: Build.usd(9_000),
    action: pause('key-domain'),
  },
  {
    limitId: 'single',
    scope: 'wallet',
    metric: 'single',
    windowMs: 0,
    allowed: Build.usd(900),
    action: pause('wallet'),
  },
  {
    limitId: 'held-minute',
    scope: 'wallet',
    metric: 'notional',
    windowMs: MINUTE_MS,
    allowed: Build.usd(1_200),
    action: { kind: 'hold' },
  },
  {
    limitId: 'chain-count',
    scope: 'chain',
    metric: 'count',
    windowMs: 5 * MINUTE_MS,
    allowed: 16n,
    action: pause('chain'),
  },
];

const sources = new Map<number, string>();
const policies = new Map<string, Policy.Policy>();

/** Who may sign together; ann also pauses. */
export const OPERATORS: readonly Policy.Operator[] = ['ann', 'bob', 'cyd'].map((name, at) => ({
  name,
  address: `0x${'abf'.charAt(at).repeat(40)}`,
  roles: ['pause', 'resume', 'panic'],
  iam: name,
}));
/** How many of them it takes, where one alone may not. */
export const QUORUM = 2;

/** How long a lease is worth where leases run out, and how old a chain's newest block may be then, ms. */
export const LEASE_MS = 30_000;
export const BLIND_AFTER_MS = 25_000;
/** How long a looser policy waits after its last signature, ms. */
export const DELAY_MS = 20_000;

/** The policy with the same limits under which chains are watched, and leases run out. */
export function variantOf(
  number: number,
  { isWatched, isLeased }: { readonly isWatched: boolean; readonly isLeased: boolean },
): number {
  return number + (isWatched ? POLICIES : 0) + (isLeased ? 2 * POLICIES : 0);
}

/** The text of the policy with a number. */
export function sourceOf(number: number): string {
  const known = sources.get(number);
  if (known !== undefined) return known;
  const policy = build(number);
  const source = toCompiled(policy);
  sources.set(number, source);
  policies.set(source, policy);
  return source;
}

const read = new Map<string, Policy.Policy>();

/** Policies are read by the product's own parser, each text once. */
export function readPolicy(compiled: string): Policy.Policy {
  const known = read.get(compiled) ?? fromCompiled(compiled);
  read.set(compiled, known);
  return known;
}

/** The sources of the schedules are compiled already. */
export function compilePolicy(source: string): { policy: Policy.Policy; compiled: string } {
  return { policy: readPolicy(source), compiled: source };
}

/** Whether the policy with a number resumes in steps. */
export function hasSteps(number: number): boolean {
  return policyFrom(sourceOf(number))?.resume.steps.length !== 0;
}

/** The policy that a text was made of, without reading it. */
export function policyFrom(source: string): Policy.Policy | undefined {
  return policies.get(source);
}

function build(number: number): Policy.Policy {
  const random = createRandom(mixSeeds(0x9017, number % POLICIES));
  const isWatched = number % (2 * POLICIES) >= POLICIES;
  const isLeased = number >= 2 * POLICIES;
  const limits = SHAPES.filter(() => random.chance(0.45)).map((shape): Policy.Limit => {
    const allowed = random.pick([shape.allowed / 2n, shape.allowed, shape.allowed * 2n]);
    const isForCoins = shape.metric === 'amount';
    return {
      ...shape,
      allowed,
      where: isForCoins ? { asset: Build.USDC } : {},
      mode: random.chance(0.95) ? 'enforce' : 'shadow',
      ...(random.chance(0.2) ? { tripOnRefusal: true } : {}),
    };
  });
  const policy = Build.policy({
    name: `policy-${number}`,
    limits,
    outstandingMax: random.pick([3, 100]),
    unmatched: {
      scope: random.pick(['key-domain', 'key-domain', 'wallet', 'global']),
      risks: 'pause',
    },
  });
  const resume = drawResume(random);
  const confirmations = random.int(3);
  const watch = { watch: { confirmations, blindAfterMs: BLIND_AFTER_MS } };
  const chains = policy.chains.map((chain) =>
    chain.pattern === Build.CHAIN && isWatched ? { ...chain, ...watch } : chain,
  );
  const timing = isLeased ? { ...policy.timing, leaseMs: LEASE_MS } : policy.timing;
  const changes = { delayMs: DELAY_MS };
  return { ...policy, chains, timing, changes, operators: OPERATORS, resume };
}

/** At once or in steps, the first of which may name one asset; by one alone or by several. */
function drawResume(random: Random): Policy.Resume {
  const count = random.chance(0.4) ? 0 : 1 + random.int(3);
  const shares = [1_000, 2_500, 5_000, 10_000].slice(random.int(2));
  const steps = Array.from({ length: count }, (_, at) => ({
    shareBps: shares[at] ?? 10_000,
    forMs: random.pick([15_000, 25_000, 40_000]),
    ...(at === 0 && random.chance(0.2) ? { assets: [Build.USDC] } : {}),
  }));
  const staged = { steps, budget: count === 0 ? 0n : Build.usd(random.pick([400, 2_000, 8_000])) };
  if (random.chance(0.6)) return { kind: 'trial', ...staged };
  return { kind: 'quorum', quorum: QUORUM, pauserCounts: random.chance(0.5), ...staged };
}
