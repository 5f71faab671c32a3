/** Looks at everything that has to work before a theft can be stopped, and says of each thing what to do. */

import * as Breaker from '../domain/breaker.ts';
import * as Health from '../domain/health.ts';
import type { Policy } from '../domain/policy.ts';
import * as Price from '../domain/price.ts';
import type {
  AdmissionSigner,
  Clock,
  DeadLetters,
  DecisionStore,
  Digest,
  HealthStore,
  IncidentStore,
  PolicyStore,
  PriceStore,
  ProjectionStore,
  QueueDepths,
} from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What diagnosing reads. It writes nothing. */
export type Deps = {
  readonly decisions: Pick<DecisionStore, 'load'>;
  readonly policies: PolicyStore;
  readonly incidents: IncidentStore;
  readonly health: HealthStore;
  readonly projections: ProjectionStore;
  readonly prices: PriceStore;
  readonly deadLetters: DeadLetters;
  readonly queues: QueueDepths;
  readonly signer: Pick<AdmissionSigner, 'jwks'>;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
  readonly digest: Digest;
};

/** What is looked at. */
export type Check =
  | 'permissions'
  | 'clock'
  | 'policy'
  | 'lease'
  | 'queues'
  | 'stream'
  | 'breakers'
  | 'keys'
  | 'prices';

/** What was found. `unknown`: it could not be looked at, which is no good sign either. */
export type Finding = {
  readonly check: Check;
  readonly state: 'ok' | 'wrong' | 'unknown';
  readonly what: string;
  /** What to do about it; absent where it is `ok`. */
  readonly todo?: string;
};

/** All findings, in the order of the checks. */
export type Diagnosis = { readonly atMs: number; readonly findings: readonly Finding[] };

/** A tick's clock may be ahead of this one by no more. */
const CLOCK_AHEAD_MAX_MS = 2_000;
/** People hear of an incident within seconds; after this the stream counts as behind. */
const PROJECTED_WITHIN_MS = 30_000;
/** More waiting events than this are a backlog. */
const WAITING_MAX = 500;
const INCIDENTS_MAX = 100;
/** Names of errors that say "you may not". */
const DENIED = /AccessDenied|NotAuthorized|UnauthorizedOperation|AuthorizationError/;

type Look = { readonly deps: Deps; readonly nowMs: number };
type Looked = Finding | readonly Finding[];

/** Runs every check; one that fails keeps no other from its turn. Never throws. */
export async function diagnose(deps: Deps): Promise<Diagnosis> {
  const nowMs = deps.clock.nowMs();
  const look = { deps, nowMs };
  const checks: readonly (readonly [Check, (look: Look) => Promise<Looked>])[] = [
    ['policy', lookAtPolicy],
    ['lease', lookAtLease],
    ['clock', lookAtClock],
    ['queues', lookAtQueues],
    ['stream', lookAtStream],
    ['breakers', lookAtBreakers],
    ['keys', lookAtKeys],
    ['prices', lookAtPrices],
  ];
  const found = await Promise.all(
    checks.map(async ([check, run]) => {
      try {
        return await run(look);
      } catch (error) {
        return failed(check, error);
      }
    }),
  );
  const findings = found.flat();
  const isDenied = findings.some(({ check }) => check === 'permissions');
  const allowed = ok('permissions', 'nothing that was asked for was denied');
  return { atMs: nowMs, findings: isDenied ? findings : [allowed, ...findings] };
}

function ok(check: Check, what: string): Finding {
  return { check, state: 'ok', what };
}

function wrong(check: Check, what: string, todo: string): Finding {
  return { check, state: 'wrong', what, todo };
}

/** A refusal is about permissions and a clock about the clock, whatever was being looked at. */
function failed(check: Check, error: unknown): Finding {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (DENIED.test(`${name} ${message}`)) {
    return wrong(
      'permissions',
      `denied while looking at ${check}: ${message}`,
      'Compare the role of operate-breaker, and the policies of table, queue and key, with docs/permissions.md; then deploy again.',
    );
  }
  if (name === 'Store.ClockError') {
    return wrong(
      'clock',
      message,
      'On AWS: deploy again, so that every environment is a new one. On a host of your own: set its time (NTP).',
    );
  }
  return {
    check,
    state: 'unknown',
    what: `could not be looked at: ${message}`,
    todo: 'See the log of operate-breaker, and whether the service behind it answers.',
  };
}

async function lookAtPolicy({ deps }: Look): Promise<Looked> {
  const { version, hash, policy } = await deps.policy.refresh();
  if (version === 0) {
    return wrong('policy', 'no policy is in force', 'breakwater policy apply FILE');
  }
  const stored = await deps.policies.load(version);
  if (stored && deps.digest.hash(stored.source) !== stored.hash) {
    const what = `version ${version} is not what was applied: its text has another hash`;
    return wrong('policy', what, 'Compare it with the file under review, then apply that again.');
  }
  const mode = policy.mode === 'shadow' ? ', in shadow mode: it stops nothing' : '';
  return ok('policy', `version ${version} (${hash.slice(0, 12)}) is in force${mode}`);
}

async function lookAtLease({ deps, nowMs }: Look): Promise<Looked> {
  const { policy } = await deps.policy.refresh();
  const { health, deadLetters } = deps;
  const [heartbeat, stuckAtMs, dead, leases, sights] = await Promise.all([
    health.heartbeat(),
    health.stuckAtMs(),
    deadLetters.count(),
    health.leases(),
    health.sights(Health.watchedOf(policy)),
  ]);
  const { leaseMs } = policy.timing;
  const chains = Health.chainsOf(policy);
  const evidence = { chains, leaseMs, heartbeat, stuckAtMs, deadLetters: dead, nowMs };
  const proof = Health.prove(evidence);
  const blind = Health.blindOf(policy, sights, nowMs).map(({ chain, why }) =>
    wrong('lease', `${chain} is not seen: ${why}`, 'docs/runbooks/watcher-behind.md'),
  );
  const lapsed = chains.filter((chain) => !((leases[chain] ?? 0) > nowMs));
  if (proof.kind === 'unproven') {
    const what = `leases are not renewed: ${proof.why}`;
    return [wrong('lease', what, 'docs/runbooks/lease-lapsed.md'), ...blind];
  }
  if (lapsed.length > 0) {
    const what = `not in force: ${lapsed.join(', ')}`;
    return [wrong('lease', what, 'See whether tick runs: docs/runbooks/lease-lapsed.md'), ...blind];
  }
  return blind.length > 0 ? blind : ok('lease', `in force on ${chains.length} chains`);
}

async function lookAtClock({ deps, nowMs }: Look): Promise<Looked> {
  const heartbeat = await deps.health.heartbeat();
  const aheadMs = heartbeat ? heartbeat.sentAtMs - nowMs : 0;
  if (aheadMs > CLOCK_AHEAD_MAX_MS) {
    const what = `the last heartbeat was sent ${aheadMs} ms from now: tick's clock is ahead`;
    return wrong('clock', what, 'docs/runbooks/clock-deviation.md');
  }
  return ok('clock', 'this clock, tick and the store agree within two seconds');
}

const QUEUE_TODO: Readonly<Record<string, string>> = {
  'dead letters': 'docs/runbooks/dead-letters.md',
  rejects: 'docs/runbooks/events-rejected.md',
  'failed projections': 'docs/runbooks/projection.md',
  'failed commands': 'docs/runbooks/commands-failed.md',
  events: 'docs/runbooks/oldest-event.md',
};

async function lookAtQueues({ deps }: Look): Promise<Looked> {
  const depths = await deps.queues.read();
  const full = depths.filter(
    ({ name, waiting }) => waiting > (name === 'events' ? WAITING_MAX : 0),
  );
  if (full.length === 0) return ok('queues', `${depths.length} queues hold nothing for people`);
  return full.map(({ name, waiting }) =>
    wrong('queues', `${name}: ${waiting} messages`, QUEUE_TODO[name] ?? 'Read them.'),
  );
}

async function lookAtStream({ deps, nowMs }: Look): Promise<Looked> {
  const [open, mirror] = await Promise.all([
    deps.incidents.listOpen(INCIDENTS_MAX),
    deps.projections.flag(),
  ]);
  const due = open.filter(({ openedAtMs }) => nowMs - openedAtMs > PROJECTED_WITHIN_MS);
  const told = await Promise.all(
    due.map(({ incidentId }) => deps.projections.isPaged(`opened:${incidentId}`)),
  );
  const mirrored = new Set(mirror?.open.map(({ incidentId }) => incidentId));
  const behind = due.filter(
    ({ incidentId }, at) => !told[at] || !(mirrored.has(incidentId) || mirror?.truncated),
  );
  const [first] = behind;
  if (!first) return ok('stream', 'every incident has been told and mirrored');
  const ageS = Math.round((nowMs - first.openedAtMs) / 1_000);
  return wrong(
    'stream',
    `${behind.length} incidents are not projected; ${first.incidentId} opened ${ageS} s ago`,
    'Page people by hand, then docs/runbooks/projection.md',
  );
}

/** What IAM cannot see: a breaker that was closed, or an overlay that was lifted, without its incident. */
async function lookAtBreakers({ deps }: Look): Promise<Looked> {
  const open = await deps.incidents.listOpen(INCIDENTS_MAX);
  const { items } = await deps.decisions.load({ rows: [], items: open.map(({ scope }) => scope) });
  const fresh = await Promise.all(open.map(({ incidentId }) => deps.incidents.get(incidentId)));
  const odd = open.filter(({ scope, incidentId }, at) => {
    const { breaker = Breaker.CLOSED, overlay } = items.get(scope) ?? {};
    const holds = breaker.state !== 'closed' && breaker.incidentId === incidentId;
    const tightens = overlay?.incidentId === incidentId;
    return !holds && !tightens && fresh[at]?.state === 'open';
  });
  if (odd.length === 0)
    return ok('breakers', `${open.length} open incidents hold their breakers or overlays`);
  return odd.map(({ scope, incidentId }) =>
    wrong(
      'breakers',
      `${scope} does not hold its open incident ${incidentId}: nobody resumed it`,
      `breakwater pause ${scope} --reason "closed by nobody"; then find out in CloudTrail who wrote the item.`,
    ),
  );
}

async function lookAtKeys({ deps }: Look): Promise<Looked> {
  const { keys } = await deps.signer.jwks();
  if (keys.length > 0) return ok('keys', `${keys.length} public keys of admissions answer`);
  return wrong('keys', 'no key of admissions is published', 'Deploy again: admissionKeys.');
}

async function lookAtPrices({ deps, nowMs }: Look): Promise<Looked> {
  const [{ policy }, { value }] = await Promise.all([deps.policy.refresh(), deps.prices.load()]);
  const sources = sourcesOf(policy);
  const stale = Price.stale(sources, value.quotes, nowMs);
  if (stale.length === 0) return ok('prices', `${sources.length} feeds are young enough`);
  return stale.map(({ feedId, why }) =>
    wrong('prices', `${feedId}: ${why}`, 'docs/policy.md, Prices: floors hold meanwhile.'),
  );
}

function sourcesOf(policy: Policy): readonly Price.Source[] {
  return policy.assets.flatMap(({ sources = [] }) => sources);
}
