/** What people may change: open a breaker at once, close one with the right to, put a policy in force. */

import * as Audit from './audit.ts';
import * as Breaker from './breaker.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import type { Compiled } from './policy.ts';
import * as PolicyChange from './policy-change.ts';
import * as Resume from './resume.ts';
import * as Scope from './scope.ts';
import { scopeDoubt } from './scope-doubt.ts';

/** A command. `commandId` makes it act once, however often it is delivered. */
export type Command =
  | {
      readonly kind: 'pause';
      readonly commandId: string;
      readonly scope: Scope.Key;
      readonly reason: string;
    }
  | {
      readonly kind: 'resume';
      readonly commandId: string;
      readonly incidentId: string;
      /** Further incidents, closed at once with it, such as what was quarantined. */
      readonly also?: readonly string[] | undefined;
      readonly reason: string;
    }
  | {
      readonly kind: 'apply-policy';
      readonly commandId: string;
      readonly source: string;
      readonly hash: string;
      readonly reason?: string | undefined;
    };

/**
 * What became of a command.
 * `refused` carries the reason as people read it; nothing has changed then.
 */
export type Result =
  | {
      readonly kind: 'paused';
      readonly scope: Scope.Key;
      readonly incidentId: string;
      readonly already: boolean;
      /** Why this may stop nothing: the policy knows no such scope. */
      readonly doubt?: string;
    }
  | {
      readonly kind: 'resumed';
      readonly scope: Scope.Key;
      readonly incidentId: string;
      readonly trial: true;
      /** Unmatched outflows of the incident after its first cause, where there are any. */
      readonly alsoUnmatched?: number;
      /** It resumes in so many steps. Absent: at once. */
      readonly steps?: number;
    }
  | { readonly kind: 'policy-applied'; readonly version: number; readonly hash: string }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'refused'; readonly why: string };

/** A result with what it changes; `changes` is absent where nothing does. */
export type Decided = { readonly result: Result; readonly changes?: Ledger.Changes };

/** Row that keeps a command from acting twice. */
export function commandRowId(commandId: string): string {
  return `command:${commandId}`;
}

/**
 * What a command says apart from its id, as one text: equal for a repeat, different for another
 * command. A policy stands in it by its hash.
 */
export function canonicalBody(command: Command): string {
  switch (command.kind) {
    case 'pause':
      return JSON.stringify([command.kind, command.scope, command.reason]);
    case 'resume': {
      const { kind, incidentId, reason, also = [] } = command;
      return JSON.stringify([kind, incidentId, reason, ...also]);
    }
    case 'apply-policy':
      return JSON.stringify(
        command.reason === undefined
          ? [command.kind, command.hash]
          : [command.kind, command.hash, command.reason],
      );
    default:
      return command satisfies never;
  }
}

/** Who gave the command, and the hash of its {@link canonicalBody}; for a resume, the incidents that it names; for a policy, what its source says. */
export type By = {
  readonly actor: string;
  readonly bodyHash: string;
  readonly incidents?: ReadonlyMap<string, Breaker.Incident> | undefined;
  readonly next?: Compiled | undefined;
};

/**
 * Decides on one command. Pausing needs nobody else. Resuming by one alone is for a
 * policy in trial mode only; fail direction: closed, anything else is refused, also a
 * `commandId` that was used for a command with other content.
 */
export function decide(
  context: Draft.Context,
  loaded: Ledger.Loaded,
  parameters: { readonly command: Command; readonly by: By },
): Decided {
  const { command, by } = parameters;
  const draft = Draft.start(context, loaded);
  const rowId = commandRowId(command.commandId);
  const { bodyHash } = by;
  const seen = Draft.row(draft, rowId);
  if (seen?.bodyHash === bodyHash) return { result: { kind: 'duplicate' } };
  if (seen) {
    const why = `commandId ${command.commandId} was used for another command; give this one an id of its own`;
    return { result: { kind: 'refused', why } };
  }
  const note = `${command.kind} by ${by.actor}`;
  Draft.putRow(draft, { rowId, state: 'noted', bodyHash, atMs: draft.atMs, note });
  switch (command.kind) {
    case 'pause':
      return pause(draft, command, by);
    case 'resume':
      return resume(draft, command, by);
    case 'apply-policy':
      return applyPolicy(draft, command, by);
    default:
      return command satisfies never;
  }
}

function pause(draft: Draft.Draft, command: Extract<Command, { kind: 'pause' }>, by: By): Decided {
  const text = `paused by ${by.actor}: ${command.reason}`;
  const trip = Draft.tripKey(draft, command.scope, {
    kind: 'operator',
    atMs: draft.atMs,
    rowId: commandRowId(command.commandId),
    text,
    notional: 0n,
    actor: by.actor,
  });
  const { scope, incidentId } = trip;
  const doubt = scopeDoubt(draft.context.policy, scope);
  const paused = { kind: 'paused', scope, incidentId, already: !trip.opened } as const;
  return {
    result: doubt === undefined ? paused : { ...paused, doubt },
    changes: Draft.changes(draft),
  };
}

function resume(
  draft: Draft.Draft,
  command: Extract<Command, { kind: 'resume' }>,
  { actor, incidents = new Map() }: By,
): Decided {
  const refused = (why: string): Decided => ({ result: { kind: 'refused', why } });
  const { policy } = draft.context;
  const { incidentId, also = [], reason } = command;
  const incident = incidents.get(incidentId);
  if (!incident) return refused(`there is no incident ${incidentId}`);
  if (policy.resume.kind !== 'trial') {
    return refused(
      `this policy asks for a quorum (resume: quorum): one operator alone cannot resume; run: breakwater resume propose ${incidentId} --reason "…"`,
    );
  }
  const strange = also.find((id) => !incidents.has(id));
  if (strange !== undefined) return refused(`there is no incident ${strange}`);
  const { scope } = incident;
  const { breaker } = Draft.item(draft, scope);
  const { steps, budget } = policy.resume;
  const others = also.flatMap((id) => namedOf(draft, incidents.get(id)) ?? []);
  const named = { incidentId, scope, epoch: breaker.epoch };
  const order = { ...named, steps, budget, rebase: [], also: others };
  const carried = Resume.carryOut(draft, order, { actors: [actor], reason, incidents });
  if (carried.kind === 'refused') return refused(carried.why);
  const alsoUnmatched = Breaker.alsoUnmatched(breaker);
  return {
    result: {
      kind: 'resumed',
      scope,
      incidentId,
      trial: true,
      ...(alsoUnmatched > 0 ? { alsoUnmatched } : {}),
      ...(steps.length > 0 ? { steps: steps.length } : {}),
    },
    changes: { ...Draft.changes(draft), incidents: carried.incidents },
  };
}

/** One operator alone names incidents as they stand. */
function namedOf(
  draft: Draft.Draft,
  incident: Breaker.Incident | undefined,
): Resume.Named | undefined {
  if (!incident) return undefined;
  const { incidentId, scope } = incident;
  return { incidentId, scope, epoch: Draft.item(draft, scope).breaker.epoch };
}

function applyPolicy(
  draft: Draft.Draft,
  command: Extract<Command, { kind: 'apply-policy' }>,
  by: By,
): Decided {
  const refused = (why: string): Decided => ({ result: { kind: 'refused', why } });
  const { next } = by;
  if (!next) return refused('nobody has compiled this policy, so nobody could read it');
  const { policy: before, policyVersion } = draft.context;
  const { hash, source, reason } = command;
  if (policyVersion > 0) {
    const why =
      PolicyChange.obstacle(draft, next.policy) ??
      PolicyChange.needsQuorum(before, PolicyChange.judge(before, next.policy));
    if (why !== undefined) return refused(why);
  }
  const { actor } = by;
  const policy = PolicyChange.putInForce(draft, { hash, source, compiled: next, actor, reason });
  return {
    result: { kind: 'policy-applied', version: policy.version, hash },
    changes: { ...Draft.changes(draft), policy },
  };
}

/** Longest reason that an alert of a refusal repeats. */
const WHY_MAX = 400;

/**
 * What tells people, once for each message of the control topic, that it was refused: nobody reads
 * an answer there. The audit chain takes it, with who it was. Nothing else changes.
 */
export function refusal(
  context: Draft.Context,
  loaded: Ledger.Loaded,
  refused: {
    readonly messageId: string;
    readonly why: string;
    /** Who sent it, and what it asked for, as far as it can be told. */
    readonly who: string;
    readonly command: string;
  },
): Ledger.Changes {
  const draft = Draft.start(context, loaded);
  const why = refused.why.replaceAll(/\p{Cc}/gu, ' ').slice(0, WHY_MAX);
  Draft.alert(draft, {
    alertId: `refused|${refused.messageId}`,
    kind: 'refused',
    atMs: draft.atMs,
    scope: Scope.GLOBAL_KEY,
    rowId: `${Audit.MESSAGE_ROW}${refused.messageId}`,
    text: `command by topic: ${why}; see: breakwater status`,
  });
  const { messageId: refusalId, who, command } = refused;
  const entry = Audit.refusal({ refusalId, atMs: draft.atMs, who, command, why });
  return { ...Draft.changes(draft), entries: [entry] };
}
