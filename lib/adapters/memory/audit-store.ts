/** The audit chain in memory. */

import * as Audit from '../../domain/audit.ts';
import { type AuditStore, type ControlRecord, LINKS_MAX } from '../../ports.ts';
import { TooManyChangesError } from '../store-errors.ts';
import type { State } from './state.ts';

/** The chain of a state. */
export function createAuditStore(state: State): AuditStore {
  const { audit } = state;
  const isAppended = (entryId: string) =>
    audit.links.some(({ entry }) => entry.entryId === entryId);
  const head = () => Audit.headAfter(Audit.GENESIS, audit.links);
  return {
    head: async () => head(),
    appended: async (entryIds) => new Set(entryIds.filter(isAppended)),
    append: async (links, after) => {
      if (links.length > LINKS_MAX) throw new TooManyChangesError({ size: links.length });
      const { sequence, hash } = head();
      const isSeen = links.some(({ entry }) => isAppended(entry.entryId));
      if (sequence !== after.sequence || hash !== after.hash || isSeen) return 'conflict';
      audit.links.push(...links);
      return 'appended';
    },
    links: async (from, limit) =>
      audit.links.filter(({ sequence }) => sequence >= from).slice(0, limit),
    note: async (entry) => {
      for (const record of putEntry(state, entry)) state.onControlChange(record);
    },
    ...deferring(state),
    ...ends(state),
    recorded: async () => recorded(state),
  };
}

/** Puts an entry, and gives back what the stream tells of it: nothing where it was there. */
export function putEntry(state: State, entry: Audit.Entry): readonly ControlRecord[] {
  const { entries } = state.audit;
  if (entries.has(entry.entryId)) return [];
  entries.set(entry.entryId, entry);
  return [{ type: 'entry-added', entry }];
}

function deferring({ audit }: State): Pick<AuditStore, 'defer' | 'deferred' | 'undefer'> {
  return {
    defer: async (entries) => {
      for (const entry of entries) audit.deferred.set(entry.entryId, entry);
    },
    deferred: async (limit) => [...audit.deferred.values()].slice(0, limit),
    undefer: async (entryIds) => {
      for (const entryId of entryIds) audit.deferred.delete(entryId);
    },
  };
}

function ends({ audit }: State): Pick<AuditStore, 'seal' | 'putSeal' | 'copied' | 'markCopied'> {
  return {
    seal: async () => audit.seal,
    putSeal: async (seal) => {
      if (seal.sequence > (audit.seal?.sequence ?? 0)) audit.seal = seal;
    },
    copied: async () => audit.copied,
    markCopied: async (sequence) => {
      audit.copied = Math.max(audit.copied, sequence);
    },
  };
}

function recorded(state: State): readonly ControlRecord[] {
  const { incidents, causes, alerts, policies, proposals, audit } = state;
  return [
    ...[...incidents.values()].flatMap(ofIncident),
    ...[...causes].flatMap(([incidentId, numbered]) =>
      [...numbered].map(
        ([number, cause]) => ({ type: 'cause-added', incidentId, number, cause }) as const,
      ),
    ),
    ...[...alerts.values()].map((alert) => ({ type: 'alert-raised', alert }) as const),
    ...[...policies.values()].map((policy) => ({ type: 'policy-applied', policy }) as const),
    ...[...proposals.values()].map((proposal) => ({ type: 'proposal-changed', proposal }) as const),
    ...[...audit.entries.values()].map((entry) => ({ type: 'entry-added', entry }) as const),
  ];
}

function ofIncident(incident: ReturnType<State['incidents']['get']> & object): ControlRecord[] {
  return [
    { type: 'incident-opened', incident },
    { type: 'incident-changed', incident },
    ...(incident.state === 'closed' ? [{ type: 'incident-closed', incident } as const] : []),
  ];
}
