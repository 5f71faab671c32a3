/** Making a proposal: what people ask for becomes exactly what operators will sign. It changes nothing else. */

import type { Incident } from './breaker.ts';
import * as Ceremony from './ceremony.ts';
import { commandRowId } from './command.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import type { Compiled } from './policy.ts';
import * as PolicyChange from './policy-change.ts';
import * as Proposal from './proposal.ts';
import type * as Resume from './resume.ts';
import * as Scope from './scope.ts';

/** What people ask for. */
export type Wish =
  | {
      readonly kind: 'resume';
      readonly incidentId: string;
      /** `steps`: as the policy has them. `at-once`: with all limits in force, and no step. */
      readonly mode: 'steps' | 'at-once';
      readonly rebase: Resume.Order['rebase'];
      /** Further incidents, closed with it. */
      readonly also: readonly string[];
    }
  | { readonly kind: 'policy'; readonly source: string; readonly hash: string }
  | Extract<Proposal.Action, { kind: 'allowance' }>
  | Extract<Proposal.Action, { kind: 'maintenance' }>;

/** A wish with its times, ms. `commandId` makes it act once. */
export type Request = {
  readonly commandId: string;
  readonly wish: Wish;
  readonly reason: string;
  readonly notBeforeMs?: number | undefined;
  readonly expiresAtMs?: number | undefined;
};

/** What became of it. */
export type Result =
  | { readonly kind: 'proposed'; readonly proposal: Proposal.Proposal }
  | { readonly kind: 'duplicate'; readonly proposalId: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Who asked, and what is known besides: a fresh id, the incidents that the wish names, its policy compiled. */
export type By = {
  readonly proposalId: string;
  readonly actor: string;
  readonly bodyHash: string;
  readonly incidents: ReadonlyMap<string, Incident>;
  readonly next?: Compiled | undefined;
};

type Decided = { readonly result: Result; readonly changes?: Ledger.Changes };
type Refused = Extract<Result, { kind: 'refused' }>;

/** How long one can be signed unless it says otherwise, ms. */
const LIFE_MS = 86_400_000;
/** Longest time that a limit may allow more, ms. */
const ALLOWANCE_MAX_MS = 86_400_000;
/** At most one more limit. */
const EXTRA_BPS_MAX = 10_000;
/** Limits that one resume may give a new base, and incidents that it may close besides. */
const NAMED_MAX = 20;

/** What a wish says, as one text: equal for a repeat. A policy stands in it by its hash. */
export function canonicalBody({ wish, reason, notBeforeMs, expiresAtMs }: Request): string {
  const what = wish.kind === 'policy' ? { kind: wish.kind, hash: wish.hash } : wish;
  return JSON.stringify([what, reason, notBeforeMs ?? null, expiresAtMs ?? null]);
}

/** Items that a wish is judged by. */
export function keys(wish: Wish, incidents: By['incidents']): readonly Scope.Key[] {
  if (wish.kind === 'policy') return [];
  if (wish.kind !== 'resume') return [wish.scope];
  return [wish.incidentId, ...wish.also].flatMap((id) => incidents.get(id)?.scope ?? []);
}

/** Makes the proposal. Fail direction: closed, what could not be carried out now is not proposed. */
export function decide(
  context: Draft.Context,
  loaded: Ledger.Loaded,
  parameters: { readonly request: Request; readonly by: By },
): Decided {
  const { request, by } = parameters;
  const { commandId, wish, reason } = request;
  const draft = Draft.start(context, loaded);
  const rowId = commandRowId(commandId);
  const seen = Draft.row(draft, rowId);
  if (seen?.bodyHash === by.bodyHash) {
    return { result: { kind: 'duplicate', proposalId: seen.link ?? '' } };
  }
  if (seen) return { result: refuse(`commandId ${commandId} was used for another command`) };
  if (context.policyHash === '') return { result: refuse('no policy is in force') };
  const times = timesOf(draft, request);
  const action = actionOf(draft, wish, by);
  if ('why' in times) return { result: times };
  if ('why' in action) return { result: action };
  const proposal: Proposal.Proposal = {
    proposalId: by.proposalId,
    action,
    policyHash: context.policyHash,
    ...times,
    reason,
    proposedBy: by.actor,
    proposedAtMs: draft.atMs,
    round: 1,
    approvals: [],
    vetoes: [],
    state: 'open',
  };
  const { proposalId: link } = proposal;
  const note = `${action.kind} proposed by ${by.actor}`;
  const { bodyHash } = by;
  Draft.putRow(draft, { rowId, state: 'noted', bodyHash, atMs: draft.atMs, note, link });
  Ceremony.putProposal(draft, proposal);
  const { compiled = '' } = by.next ?? {};
  const draftPolicy =
    wish.kind === 'policy'
      ? { draftPolicy: { hash: wish.hash, source: wish.source, compiled } }
      : {};
  return {
    result: { kind: 'proposed', proposal },
    changes: { ...Draft.changes(draft), proposals: [{ proposal }], ...draftPolicy },
  };
}

function timesOf(
  draft: Draft.Draft,
  request: Request,
): Refused | Pick<Proposal.Proposal, 'notBeforeMs' | 'expiresAtMs'> {
  const { atMs } = draft;
  const { notBeforeMs = atMs, expiresAtMs = atMs + LIFE_MS } = request;
  if (!(expiresAtMs > atMs)) return refuse('expires: is past');
  if (expiresAtMs > atMs + Proposal.LIFE_MAX_MS)
    return refuse('expires: is more than 7 days ahead');
  if (!(notBeforeMs < expiresAtMs)) return refuse('notBefore: is not before it expires');
  return { notBeforeMs, expiresAtMs };
}

function actionOf(draft: Draft.Draft, wish: Wish, by: By): Refused | Proposal.Action {
  switch (wish.kind) {
    case 'resume':
      return resumeOf(draft, wish, by);
    case 'policy':
      return policyOf(draft, wish, by);
    case 'allowance':
      return allowanceOf(draft, wish);
    case 'maintenance':
      Scope.parseKey(wish.scope);
      return { kind: 'maintenance', scope: wish.scope };
    default:
      return wish satisfies never;
  }
}

function resumeOf(
  draft: Draft.Draft,
  wish: Extract<Wish, { kind: 'resume' }>,
  { incidents }: By,
): Refused | Proposal.Action {
  const { policy } = draft.context;
  const { rebase, also } = wish;
  if (rebase.length > NAMED_MAX) return refuse(`rebase: names more than ${NAMED_MAX} limits`);
  if (also.length > NAMED_MAX) return refuse(`also: names more than ${NAMED_MAX} incidents`);
  const ids = [wish.incidentId, ...also];
  if (new Set(ids).size < ids.length) return refuse('also: names an incident twice');
  const opened = ids.map((id) => openingOf(draft, id, incidents));
  const refused = opened.find((one) => 'why' in one);
  if (refused && 'why' in refused) return refused;
  const strange = rebase.find(({ limitId, scope }) => {
    const limit = policy.limits.find((one) => one.limitId === limitId);
    return limit?.scope !== Scope.parseKey(scope).kind || limit.metric === 'single';
  });
  if (strange) {
    const { limitId, scope } = strange;
    return refuse(`rebase: the policy has no limit ${limitId} over a window on ${scope}`);
  }
  const [main, ...others] = opened.flatMap((one) => ('why' in one ? [] : [one]));
  if (!main) return refuse(`there is no incident ${wish.incidentId}`);
  const steps = wish.mode === 'steps' ? policy.resume.steps : [];
  const { budget } = policy.resume;
  return { kind: 'resume', order: { ...main, steps, budget, rebase, also: others } };
}

function openingOf(
  draft: Draft.Draft,
  incidentId: string,
  incidents: By['incidents'],
): Refused | { readonly incidentId: string; readonly scope: Scope.Key; readonly epoch: number } {
  const incident = incidents.get(incidentId);
  if (!incident) return refuse(`there is no incident ${incidentId}`);
  const { scope, state } = incident;
  if (state === 'closed') return refuse(`incident ${incidentId} is closed already`);
  const { breaker, overlay } = Draft.item(draft, scope);
  const isHeld =
    overlay?.incidentId === incidentId ||
    (breaker.state !== 'closed' && breaker.incidentId === incidentId);
  if (!isHeld) return refuse(`the breaker of ${scope} is not held by ${incidentId}`);
  return { incidentId, scope, epoch: breaker.epoch };
}

function policyOf(
  draft: Draft.Draft,
  { hash }: Extract<Wish, { kind: 'policy' }>,
  { next }: By,
): Refused | Proposal.Action {
  if (!next) return refuse('nobody has compiled this policy, so nobody could read it');
  const { policy } = draft.context;
  const changes = PolicyChange.judge(policy, next.policy);
  const direction = PolicyChange.direction(changes);
  if (direction === 'tightens' || direction === 'neutral') {
    return refuse('it loosens nothing: breakwater policy apply puts it in force at once');
  }
  const revokes = direction === 'revokes';
  const delayMs = revokes ? 0 : policy.changes.delayMs;
  const why = PolicyChange.obstacle(draft, next.policy);
  if (why !== undefined) return refuse(why);
  const lines = changes.map((change) => `${change.direction}: ${PolicyChange.text(change)}`);
  return { kind: 'policy', hash, revokes, delayMs, changes: lines };
}

function allowanceOf(
  draft: Draft.Draft,
  wish: Extract<Wish, { kind: 'allowance' }>,
): Refused | Proposal.Action {
  const { limitId, scope, extraBps, untilMs } = wish;
  const limit = draft.context.policy.limits.find((one) => one.limitId === limitId);
  if (limit?.scope !== Scope.parseKey(scope).kind) {
    return refuse(`limit: the policy has no limit ${limitId} on ${scope}`);
  }
  const isShare = Number.isInteger(extraBps) && extraBps > 0 && extraBps <= EXTRA_BPS_MAX;
  if (!isShare) return refuse('extra: is not more than nothing and at most one more limit (100%)');
  if (!(untilMs > draft.atMs)) return refuse('until: is past');
  if (untilMs > draft.atMs + ALLOWANCE_MAX_MS) return refuse('until: is more than 24 hours ahead');
  return { kind: 'allowance', limitId, scope, extraBps, untilMs };
}

function refuse(why: string): Refused {
  return { kind: 'refused', why };
}
