/** Laws of held withdrawals over random schedules, through the actions over the store in memory. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closeWithdrawal } from '../../lib/actions/close-withdrawal.ts';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { releaseWhereRoom, releaseWithdrawal } from '../../lib/actions/release-held.ts';
import { type Answer, reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import { ledgerOf, putInForce, readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { ask, expectQueuesToBeRows, holding } from '../support/holding.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from '../support/ledger-check.ts';

const { HOUR_MS, MINUTE_MS, T0_MS } = Build;
const IDS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const ALL = 10_000;
const ALLOWED = 1_000;
const PAUSES_AT = 1_800;
/** 100 USD. */
const ETHER = 5n * 10n ** 16n;
const LEASE_MS = 2 * HOUR_MS;

/** What of a policy a run changes. */
type Rules = {
  allowed: number | undefined;
  mode: Policy.Mode;
  more: readonly Policy.Limit[];
};

const assetHour = holding({ limitId: 'asset-hour', scope: 'asset' });
const walletDay = holding({
  limitId: 'wallet-day',
  windowMs: Build.DAY_MS,
  allowed: Build.usd(1_500),
});

/** A wallet whose limit holds, maybe one more that does, and customers whose limit pauses. */
function rules({ allowed, mode, more }: Rules): Policy.Policy {
  const customer = Build.limit({
    limitId: 'customer',
    scope: 'actor',
    allowed: Build.usd(PAUSES_AT),
    action: { kind: 'pause', scope: 'actor' },
  });
  const wallet = allowed === undefined ? [] : [holding({ allowed: Build.usd(allowed) })];
  return Build.policy({ limits: [...wallet, ...more, customer], mode, outstandingMax: 5 });
}

type Step = { readonly deltaMs: number } & (
  | { readonly kind: 'ask'; readonly ids: readonly string[] }
  | { readonly kind: 'release'; readonly id: string }
  | { readonly kind: 'cancel' | 'report' | 'leaves'; readonly id: string }
  | { readonly kind: 'policy'; readonly allowed: number | undefined; readonly mode: Policy.Mode }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'pause' | 'resume' | 'lease' }
);

const id = fc.constantFrom(...IDS);
const sizes = fc.record(
  Object.fromEntries(IDS.map((one) => [one, fc.constantFrom(0, 1, 300, 500, 999, 1_000, 1_001)])),
);
const deltaMs = fc.oneof(
  fc.constantFrom(0, 1, 29_999, 30_000, MINUTE_MS, 6 * MINUTE_MS, HOUR_MS + 400_000),
  fc.nat({ max: 30 * MINUTE_MS }),
);
const weighted = (weight: number, arbitrary: fc.Arbitrary<Omit<Step, 'deltaMs'>>) => ({
  weight,
  arbitrary: fc.tuple(arbitrary, deltaMs).map(([one, ms]) => ({ ...one, deltaMs: ms }) as Step),
});
const steps = fc.array(
  fc.oneof(
    weighted(
      8,
      fc.record({
        kind: fc.constant('ask' as const),
        ids: fc.array(id, { minLength: 1, maxLength: 4 }),
      }),
    ),
    weighted(3, fc.record({ kind: fc.constantFrom('release', 'cancel', 'report', 'leaves'), id })),
    weighted(
      1,
      fc.record({
        kind: fc.constant('policy' as const),
        allowed: fc.constantFrom(500, ALLOWED, 1_500, undefined),
        mode: fc.constantFrom('enforce', 'enforce', 'shadow'),
      }),
    ),
    weighted(3, fc.record({ kind: fc.constantFrom('sweep', 'sweep', 'pause', 'resume', 'lease') })),
  ),
  { minLength: 5, maxLength: 30 },
);

const more = fc.constantFrom<readonly Policy.Limit[]>([], [assetHour], [walletDay]);

/** What a run has seen so far. */
type Run = Rules & {
  readonly made: TestWorld;
  readonly size: Readonly<Record<string, number>>;
  readonly rowStates: Map<string, string>;
  readonly charged: Map<string, number>;
  readonly since: Map<string, number>;
  readonly position: Map<string, number>;
  readonly released: string[];
  isPaused: boolean;
  isEdited: boolean;
  leaseUntilMs: number;
};

function asked(run: Run, one: string) {
  return ask(one, run.size[one] ?? 0, { actor: one < 'd' ? 'one' : 'two' });
}

/** What left or may leave in the hour before a time, by the rows. */
function sumOf(ledger: Ledger.Loaded, nowMs: number, of: (row: Ledger.Row) => boolean): number {
  const gone = ['failed', 'cancelled'];
  return [...ledger.rows.values()]
    .filter(({ money, state }) => money && money.charged.length > 0 && !gone.includes(state))
    .filter(({ money }) => (money?.chargedAtMs ?? 0) >= nowMs - HOUR_MS)
    .filter(of)
    .reduce((sum, { money }) => sum + Number((money?.transfer.amount ?? 0n) / Build.usd(1)), 0);
}

/** Laws of what was just admitted: by an answer, by a sweep, or by an operator. */
function expectAdmitted(run: Run, ledger: Ledger.Loaded, admitted: readonly string[]): void {
  if (admitted.length === 0) return;
  const nowMs = run.made.clock.nowMs;
  // What a person let go past this limit counts, and lies above it.
  const ofWallet = sumOf(
    ledger,
    nowMs,
    ({ rowId, released }) => rowId.startsWith('withdrawal:') && released === undefined,
  );
  if (run.mode === 'shadow') return;
  expect(run.isPaused).toBe(false);
  expect(run.leaseUntilMs).toBeGreaterThan(nowMs);
  for (const one of admitted) {
    const row = ledger.rows.get(`withdrawal:${one}`);
    const { actor } = row?.money?.subject ?? {};
    const ofActor = sumOf(ledger, nowMs, ({ money }) => money?.subject.actor === actor);
    expect(ofActor).toBeLessThanOrEqual(PAUSES_AT);
    // A repeat is charged nothing: the limit spoke when it was charged.
    const isRepeat = run.charged.get(`withdrawal:${one}`) === row?.money?.chargedAtMs;
    const fresh = !isRepeat && row?.released === undefined;
    if (fresh && run.allowed !== undefined) expect(ofWallet).toBeLessThanOrEqual(run.allowed);
  }
}

/** Laws of what is told to whoever asks for one that is held. */
function expectTold(run: Run, answers: readonly Answer[]): void {
  for (const answer of answers) {
    const { withdrawalId } = answer;
    if (answer.kind === 'allow' || !('heldSinceMs' in answer)) continue;
    const { heldSinceMs = 0, position } = answer;
    expect(heldSinceMs).toBe(run.since.get(withdrawalId) ?? heldSinceMs);
    run.since.set(withdrawalId, heldSinceMs);
    if (position === undefined || run.isEdited) continue;
    expect(position).toBeLessThanOrEqual(run.position.get(withdrawalId) ?? position);
    run.position.set(withdrawalId, position);
  }
}

/** Plays a step, and says who was admitted by it. */
async function play(run: Run, step: Step): Promise<readonly string[]> {
  const { world } = run.made;
  const deps = { ...world.reserve, held: world.store.held };
  switch (step.kind) {
    case 'ask': {
      const asks = step.ids.map((one) => asked(run, one));
      const answers = await reserveWithdrawals(world.reserve, { asks, audience: 'signer' });
      expectTold(run, answers);
      return answers.flatMap(({ kind, withdrawalId }) => (kind === 'allow' ? [withdrawalId] : []));
    }
    case 'sweep': {
      const released = await releaseWhereRoom(deps);
      run.released.push(...released);
      return released;
    }
    case 'release': {
      const result = await releaseWithdrawal(deps, { withdrawalId: step.id, actor: 'ann' });
      if (result.kind === 'refused') return [];
      run.released.push(step.id);
      return [step.id];
    }
    case 'cancel':
    case 'report':
    case 'leaves':
      await tell(run, step);
      return [];
    default:
      await operate(run, step);
      return [];
  }
}

/** What others say of a withdrawal. */
async function tell(
  run: Run,
  {
    kind,
    id: withdrawalId,
  }: { readonly kind: 'cancel' | 'report' | 'leaves'; readonly id: string },
): Promise<void> {
  const { world, committed } = run.made;
  const { withdrawal } = asked(run, withdrawalId);
  if (kind === 'cancel') {
    const evidence = { kind: 'operator', reference: 'ann', reason: 'asked to' } as const;
    const deps = { ...world.decision, alerts: world.store.alerts };
    await closeWithdrawal(deps, { kind: 'cancelled', withdrawalId, evidence });
  } else if (kind === 'report') {
    await recordEvents(world.decision, [Build.incoming(withdrawal)]);
    run.isPaused = await isPaused(run);
  } else {
    const { rows } = await ledgerOf(world.store, committed);
    if (rows.get(`withdrawal:${withdrawalId}`)?.state !== 'reserved') return;
    const id = { transaction: `0x${withdrawalId}`, withdrawalId };
    const seen = Build.outflow(id, withdrawal.transfer);
    await recordEvents(world.decision, [Build.incoming(seen)]);
  }
}

/** What operators and the clockwork do. */
async function operate(
  run: Run,
  step:
    | { readonly kind: 'policy'; readonly allowed: number | undefined; readonly mode: Policy.Mode }
    | { readonly kind: 'pause' | 'resume' | 'lease' },
): Promise<void> {
  const { world, clock, committed } = run.made;
  const { incidents, health } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const commandId = `command-${committed.length}`;
  if (step.kind === 'policy') {
    // Each is a command of its own, also where it brings back what was in force before.
    await putInForce(world, { ...rules({ ...run, ...step }), name: commandId });
    // From now on older ones may come from other queues into this one.
    Object.assign(run, { allowed: step.allowed, mode: step.mode, isEdited: true });
  } else if (step.kind === 'lease') {
    // A lease is only ever prolonged: who has read one may keep it.
    run.leaseUntilMs = Math.max(run.leaseUntilMs, clock.nowMs + LEASE_MS);
    await health.renew({ [Build.CHAIN]: run.leaseUntilMs }, clock.nowMs);
  } else if (step.kind === 'pause') {
    const scope = 'wallet:hot-1';
    const command = { kind: 'pause', commandId, scope, reason: 'drill' } as const;
    await operateBreaker(deps, { command, actor: 'ann' });
    run.isPaused = true;
  } else {
    for (const { incidentId } of await incidents.listOpen(ALL)) {
      const resume = { kind: 'resume', commandId: incidentId, incidentId, reason: 'done' } as const;
      await operateBreaker(deps, { command: resume, actor: 'ann' });
    }
    run.isPaused = await isPaused(run);
  }
}

async function isPaused({ made }: Run): Promise<boolean> {
  const open = await made.world.store.incidents.listOpen(ALL);
  return open.some(({ scope }) => scope === 'wallet:hot-1');
}

async function check(run: Run, admitted: readonly string[]): Promise<void> {
  const { store } = run.made.world;
  const ledger = await ledgerOf(store, run.made.committed);
  expectQueuesToBeRows(ledger, await store.held.list(ALL));
  expectMetersToCover(ledger);
  expectOutstandingToBeRows(ledger);
  expectAdmitted(run, ledger, admitted);
  for (const [rowId, { state, money }] of ledger.rows) {
    if (state === 'reserved') run.charged.set(rowId, money?.chargedAtMs ?? 0);
    const before = run.rowStates.get(rowId);
    // Whatever leaves its queue never comes back into one.
    if (state === 'held') expect([undefined, 'held']).toContain(before);
    run.rowStates.set(rowId, state);
  }
  expect(new Set(run.released).size).toBe(run.released.length);
}

describe('reserveWithdrawals, releaseWhereRoom and releaseWithdrawal', () => {
  test('H77, H79: queues are the held rows, no limit is passed, and nobody loses a place, after every step', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, steps, more, async (size, schedule, limits) => {
        const start = { allowed: ALLOWED, mode: 'enforce', more: limits } as const;
        const made = await readyWorld(rules(start));
        const run: Run = {
          made,
          size,
          rowStates: new Map(),
          charged: new Map(),
          since: new Map(),
          position: new Map(),
          released: [],
          ...start,
          isPaused: false,
          isEdited: false,
          leaseUntilMs: T0_MS + LEASE_MS,
        };
        await made.world.store.health.renew({ [Build.CHAIN]: run.leaseUntilMs }, T0_MS);
        for (const step of schedule) {
          made.clock.nowMs += step.deltaMs;
          await check(run, await play(run, step));
        }
      }),
      { numRuns: 120 },
    );
  });

  const round = fc.record({
    smalls: fc.array(
      fc.record({
        dollars: fc.constantFrom(1, 10, 100, 400),
        // In the same queues, or in one of them: another wallet's, or another asset's.
        other: fc.constantFrom({}, { account: Build.HOT_3 }, { asset: Build.ETH, amount: ETHER }),
      }),
      { maxLength: 4 },
    ),
    again: fc.array(fc.nat(), { maxLength: 3 }),
    isSwept: fc.boolean(),
    moves: fc.oneof(
      fc.constantFrom(0, 1, 31_000, 2 * MINUTE_MS, 7 * MINUTE_MS).map((ms) => ({ ms })),
      fc.nat({ max: 10 * MINUTE_MS }).map((ms) => ({ ms })),
      fc.constantFrom({ untilRoomMs: -1 }, { untilRoomMs: 0 }),
    ),
  });

  test.each([
    ['one limit', []],
    ['wallet and asset', [assetHour]],
    ['hour and day', [walletDay]],
  ])(
    'H79: %s: the first of all queues is admitted when it was told at the latest, whatever small ones are asked for',
    async (_, more) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom(500, 700, 1_000), { minLength: 1, maxLength: 3 }),
          fc.array(round, { minLength: 5, maxLength: 40 }),
          async (large, rounds) => {
            const policy = Build.policy({ limits: [holding(), ...more], outstandingMax: 10_000 });
            const { world, clock } = await readyWorld(policy);
            const untilMs = T0_MS + 365 * Build.DAY_MS;
            await world.store.health.renew({ [Build.CHAIN]: untilMs }, T0_MS + 1);
            const told = new Map<string, number>();
            const askFor = async (...asks: readonly ReturnType<typeof ask>[]) => {
              const answers = await reserveWithdrawals(world.reserve, { asks, audience: 'signer' });
              for (const answer of answers) {
                const promisedMs = told.get(answer.withdrawalId) ?? Number.POSITIVE_INFINITY;
                if (answer.kind === 'allow') {
                  told.delete(answer.withdrawalId);
                  continue;
                }
                expect(clock.nowMs).toBeLessThan(promisedMs);
                if (!('position' in answer) || answer.position !== 1) continue;
                expect(answer.capacityAtMs).toBeDefined();
                // Nobody who comes later makes it wait longer.
                expect(answer.capacityAtMs).toBeLessThanOrEqual(promisedMs);
                told.set(answer.withdrawalId, answer.capacityAtMs ?? 0);
              }
            };
            await askFor(ask('zero', 600));
            clock.nowMs += 1;
            const heads = large.map((dollars, n) => ask(`z-head-${n}`, dollars));
            await askFor(...heads);
            const smalls: ReturnType<typeof ask>[] = [];
            for (const { smalls: drawn, again, isSwept, moves } of rounds) {
              const room = Math.min(...told.values());
              if ('ms' in moves) clock.nowMs += moves.ms;
              else if (Number.isFinite(room)) {
                clock.nowMs = Math.max(clock.nowMs, room + moves.untilRoomMs);
              }
              const fresh = drawn.map(({ dollars, other }, n) =>
                ask(`small-${smalls.length}-${n}-${clock.nowMs}`, dollars, other),
              );
              const repeated = again.flatMap((n) => smalls[n % Math.max(1, smalls.length)] ?? []);
              smalls.push(...fresh);
              // The small ones are always quicker.
              if (fresh.length + repeated.length > 0) await askFor(...fresh, ...repeated);
              if (isSwept) {
                const deps = { ...world.reserve, held: world.store.held };
                const released = new Set(await releaseWhereRoom(deps));
                // Whoever is let go is asked for at once.
                const known = [...heads, ...smalls].filter(({ withdrawal }) =>
                  released.has(withdrawal.withdrawalId),
                );
                if (known.length > 0) await askFor(...known);
              }
              await askFor(...heads.filter(({ withdrawal }) => told.has(withdrawal.withdrawalId)));
            }
          },
        ),
        { numRuns: 40 },
      );
    },
  );
});
