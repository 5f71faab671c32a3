/** What people may change: open a breaker at once, close one with the right to, put a policy in force. */

import * as Audit from './audit.ts';
import * as Breaker from './breaker.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import type { Compiled } from './policy.ts';
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
      readonly reason: string;
    }
  | {
      readonly kind: 'apply-policy';
      readonly commandId: string;
      readonly source: string;
      readonly hash: string;
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
    case 'resume':
      return JSON.stringify([command.kind, command.incidentId, command.reason]);
    case 'apply-policy':
      return JSON.stringify([command.kind, command.hash]);
    default:
      return command satisfies never;
  }
}

/** Who gave the command, and the hash of its {@link canonicalBody}; for a resume, the incident that it names; for a policy, what its source says. */
export type By = {
  readonly actor: string;
  readonly bodyHash: string;
  readonly incident?: Breaker.Incident | undefined;
  readonly next?: Compiled | undefined;
};

/**
 * Decides on one command. Pausing needs nobody else. Resuming is for a policy in trial mode only,
 * until the quorum's ceremony is there; fail direction: closed, anything else is refused, also a
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
  by: By,
): Decided {
  const refused = (why: string): Decided => ({ result: { kind: 'refused', why } });
  const { incident } = by;
  if (incident?.incidentId !== command.incidentId) {
    return refused(`there is no incident ${command.incidentId}`);
  }
  if (incident.state === 'closed')
    return refused(`incident ${incident.incidentId} is closed already`);
  if (draft.context.policy.resume.kind !== 'trial') {
    return refused(
      'this policy asks for a quorum (resume: quorum): one operator alone cannot resume',
    );
  }
  const current = Draft.item(draft, incident.scope);
  const breaker = Breaker.reset(current.breaker, incident.incidentId);
  if (!breaker)
    return refused(`the breaker of ${incident.scope} is not held by ${incident.incidentId}`);
  draft.items.set(incident.scope, { ...current, breaker });
  const alsoUnmatched = Breaker.alsoUnmatched(current.breaker);
  const changes = Draft.changes(draft);
  const closed = { atMs: draft.atMs, actor: by.actor, reason: command.reason };
  return {
    result: {
      kind: 'resumed',
      scope: incident.scope,
      incidentId: incident.incidentId,
      trial: true,
      ...(alsoUnmatched > 0 ? { alsoUnmatched } : {}),
    },
    changes: {
      ...changes,
      incidents: [{ incident: { ...incident, state: 'closed', closed }, expected: 'open' }],
    },
  };
}

function applyPolicy(
  draft: Draft.Draft,
  command: Extract<Command, { kind: 'apply-policy' }>,
  by: By,
): Decided {
  const refused = (why: string): Decided => ({ result: { kind: 'refused', why } });
  const { next } = by;
  if (!next) return refused('nobody has compiled this policy, so nobody could read it');
  if (next.policy.resume.kind === 'quorum') {
    return refused(
      'resume: quorum needs the ceremony in which operators sign together, which this version does not have; nobody could resume. Use resume: trial',
    );
  }
  const global = Draft.item(draft, Scope.GLOBAL_KEY);
  const version = (global.policyVersion ?? 0) + 1;
  draft.items.set(Scope.GLOBAL_KEY, { ...global, policyVersion: version });
  const { hash, source } = command;
  const { compiled } = next;
  const policy = { version, hash, source, compiled, appliedAtMs: draft.atMs, actor: by.actor };
  return {
    result: { kind: 'policy-applied', version, hash },
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
