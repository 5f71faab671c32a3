/** Decides on withdrawals before they are signed: the action behind every reservation. */

import { type ChainId, chainOf } from '../domain/caip.ts';
import * as Charge from '../domain/charge.ts';
import type { Leases } from '../domain/flag.ts';
import * as Ledger from '../domain/ledger.ts';
import * as Policy from '../domain/policy.ts';
import * as Queue from '../domain/queue.ts';
import * as Reservation from '../domain/reservation.ts';
import type * as Verdict from '../domain/verdict.ts';
import type { AdmissionClaims, AdmissionSigner, AlertStore } from '../ports.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';
import type { LeasesInForce } from './leases-in-force.ts';

/** What reserving needs beyond a decision. */
export type Deps = DecisionDeps & {
  readonly leases: LeasesInForce;
  readonly alerts: AlertStore;
  readonly signer: AdmissionSigner;
};

/** An answer: the domain's verdict, with the admission if it allows. */
export type Answer =
  | (Extract<Verdict.Verdict, { kind: 'allow' }> & { readonly admission: string })
  | Verdict.Refusal
  | {
      readonly kind: 'block';
      readonly withdrawalId: string;
      readonly reason: 'timeout' | 'unavailable';
      readonly text: string;
      readonly provisional: true;
    };

/** Withdrawals in one call. */
export const ASKS_MAX = 100;
/** A reply later than this is a `block`: whoever waited has gone on. */
export const REPLY_MAX_MS = 6_000;
/**
 * Longer waits than others have: many reserve at once, and each that wins makes all others read
 * again. So most transactions win, and an event that trips gets through between them.
 */
const BACKOFF = { firstMs: 60, maxMs: 2_000, withinMs: 5_000 };
/** Longest life that verifiers accept (`lib/client/admission-claims.ts`). */
const LIFETIME_MAX_S = 900;
/** Items that one transaction is planned for. */
const PLANNED_ITEMS_MAX = 60;

/**
 * Decides in order, in transactions of at most a hundred items, each final.
 * Fail direction: closed, whatever cannot be committed, proven or signed in time is a `block` that
 * may be asked again; what was charged for it stays charged and is found again by its id.
 *
 * @param parameters.audience who may accept the admissions.
 */
export async function reserveWithdrawals(
  deps: Deps,
  parameters: { readonly asks: readonly Reservation.Ask[]; readonly audience: string },
): Promise<readonly Answer[]> {
  const { asks, audience } = parameters;
  const startedMs = deps.clock.nowMs();
  const answers: Answer[] = [];
  try {
    const { policy } = await deps.policy.current();
    const leases = await deps.leases.of(chainsOf(asks));
    for (const chunk of plan(policy, asks)) {
      // Whoever waited has gone on: what is charged from here on would be charged for nobody.
      if (deps.clock.nowMs() - startedMs > REPLY_MAX_MS) break;
      answers.push(...(await answerChunk(deps, chunk, { leases, audience })));
    }
  } catch (error) {
    return asks.map((ask, position) => answers[position] ?? unavailable(ask, error));
  }
  const tookMs = deps.clock.nowMs() - startedMs;
  return tookMs > REPLY_MAX_MS ? asks.map((ask) => late(ask, tookMs)) : answers;
}

function chainsOf(asks: readonly Reservation.Ask[]): readonly ChainId[] {
  return [...new Set(asks.map(({ withdrawal }) => chainOf(withdrawal.transfer.account)))];
}

/** Groups asks, in order, so that each group's rows and items most likely fit one transaction. */
export function plan(
  policy: Policy.Policy,
  asks: readonly Reservation.Ask[],
): readonly (readonly Reservation.Ask[])[] {
  const chunks: { asks: Reservation.Ask[]; items: Set<string>; written: number }[] = [];
  for (const ask of asks) {
    const { keys, written } = itemsOf(policy, ask);
    const last = chunks.at(-1);
    const together = new Set([...(last?.items ?? []), ...keys]);
    if (last && last.written + written + together.size <= PLANNED_ITEMS_MAX) {
      last.asks.push(ask);
      last.items = together;
      last.written += written;
    } else {
      chunks.push({ asks: [ask], items: new Set(keys), written });
    }
  }
  return chunks.map((chunk) => chunk.asks);
}

/**
 * The items that an ask touches, and what it writes besides: its row, and what waits between its ends
 * or an entry in each of its queues. No items where that cannot be told, which shows again when it is decided.
 */
function itemsOf(
  policy: Policy.Policy,
  ask: Reservation.Ask,
): { readonly keys: readonly string[]; readonly written: number } {
  try {
    const resolved = Policy.resolve(policy, ask.withdrawal.transfer);
    const queues = Queue.gates(policy, resolved).slice(0, Queue.PLACES_MAX).length;
    return { keys: Charge.keys(resolved), written: 2 + Math.max(1, queues) };
  } catch {
    return { keys: [], written: 3 };
  }
}

/** Decides a group, in halves where it cannot be decided whole: one misfit never fails the others. */
async function answerChunk(
  deps: Deps,
  asks: readonly Reservation.Ask[],
  about: { readonly leases: Leases; readonly audience: string },
): Promise<readonly Answer[]> {
  try {
    const decided = await commitDecision(deps, {
      backoff: BACKOFF,
      keys: (policy) => orUndecidable(() => Reservation.keys(policy, asks)),
      decide: (context, loaded) =>
        orUndecidable(() => decideWhole({ ...context, ...about }, loaded, asks)),
    });
    if (!decided.isWritten) {
      await Promise.all(decided.alerts.map((alert) => deps.alerts.raise(alert)));
    }
    return await Promise.all(
      asks.map((ask, position) =>
        admit(deps, ask, { verdict: decided.verdicts[position], ...about }),
      ),
    );
  } catch (error) {
    if (!(error instanceof UndecidableError) || asks.length < 2) {
      return asks.map((ask) => unavailable(ask, error));
    }
    const middle = Math.ceil(asks.length / 2);
    const first = await answerChunk(deps, asks.slice(0, middle), about);
    return [...first, ...(await answerChunk(deps, asks.slice(middle), about))];
  }
}

function decideWhole(...[context, loaded, asks]: Parameters<typeof Reservation.decide>): {
  readonly result: Omit<Reservation.Decided, 'changes'> & { readonly isWritten: boolean };
  readonly changes?: Ledger.Changes | undefined;
} {
  const { changes, ...result } = Reservation.decide(context, loaded, asks);
  const size = changes ? Ledger.size(changes) : 0;
  if (size > Ledger.CHANGES_MAX) {
    throw new Error(`they change ${size} items, over ${Ledger.CHANGES_MAX}`);
  }
  return { result: { ...result, isWritten: changes !== undefined }, changes };
}

function orUndecidable<T>(judge: () => T): T {
  try {
    return judge();
  } catch (cause) {
    throw new UndecidableError({ cause });
  }
}

/** A signer that fails for one fails for that one only; what was charged for it is found again by its id. */
async function admit(
  deps: Deps,
  ask: Reservation.Ask,
  about: { readonly verdict: Verdict.Verdict | undefined; readonly audience: string },
): Promise<Answer> {
  const { verdict, audience } = about;
  if (!verdict) return unavailable(ask, new UndecidableError({ cause: 'it was not planned' }));
  if (verdict.kind !== 'allow') return verdict;
  try {
    const claims = claimsOf(deps, ask, { audience, expiresAtMs: verdict.expiresAtMs });
    return { ...verdict, admission: await deps.signer.sign(claims) };
  } catch (error) {
    return unavailable(ask, error);
  }
}

function claimsOf(
  deps: Deps,
  ask: Reservation.Ask,
  about: { readonly audience: string; readonly expiresAtMs: number },
): AdmissionClaims {
  const { audience, expiresAtMs } = about;
  const issuedAtS = Math.floor(deps.clock.nowMs() / 1_000);
  const { transfer, withdrawalId } = ask.withdrawal;
  return {
    iss: deps.signer.issuer,
    aud: audience,
    sub: withdrawalId,
    // The same for every answer of one admission: whoever takes each once signs once.
    jti: deps.digest.hash(JSON.stringify([withdrawalId, expiresAtMs])).slice(0, 32),
    wallet: transfer.account,
    asset: transfer.asset,
    amount: transfer.amount.toString(),
    destination: transfer.destination,
    ...(transfer.memo === undefined ? {} : { memo: transfer.memo }),
    iat: issuedAtS,
    // Rounded down: the token never outlives what was charged for. Nor may it be refused as too long
    // where the charge is at the time of another worker, whose clock is ahead of this one.
    exp: Math.min(Math.floor(expiresAtMs / 1_000), issuedAtS + LIFETIME_MAX_S),
  };
}

function unavailable(ask: Reservation.Ask, error: unknown): Answer {
  const { withdrawalId } = ask.withdrawal;
  const why = error instanceof Error ? error.name : 'unknown error';
  const text = `could not be decided (${why}); nothing was admitted, ask again`;
  return { kind: 'block', withdrawalId, reason: 'unavailable', text, provisional: true };
}

function late(ask: Reservation.Ask, tookMs: number): Answer {
  const { withdrawalId } = ask.withdrawal;
  const text = `the decision took ${tookMs} ms, over ${REPLY_MAX_MS}; ask again`;
  return { kind: 'block', withdrawalId, reason: 'timeout', text, provisional: true };
}

/** The rules could not judge these withdrawals, or their changes fit no transaction. Nothing was written. */
export class UndecidableError extends Error {
  override readonly name = 'ReserveWithdrawals.UndecidableError';
  constructor(details: { readonly cause: unknown }) {
    const { cause } = details;
    super(cause instanceof Error ? cause.message : 'unknown', { cause });
  }
}
