/** The store in memory: the same conditions and the same stream, for replays and tests. */

import type { Incident } from '../../domain/breaker.ts';
import * as Proposal from '../../domain/proposal.ts';
import type { ControlRecord, ProposalStore, Store } from '../../ports.ts';
import { createAuditStore } from './audit-store.ts';
import { createDecisionStore } from './decision-store.ts';
import { createBalanceStore, createPriceStore } from './fact-store.ts';
import { createHealthStore } from './health-store.ts';
import { createState, type State } from './state.ts';
import { createGraceStore, createHeldStore, createOpenReservations } from './waiting-store.ts';
import { createWatchStore } from './watch-store.ts';

/**
 * An empty store. What it is given it keeps as it is: callers never change what they have handed over.
 *
 * @param options.onControlChange told of every change of the control rows, after the commit that made it and in order.
 */
export function createMemoryStore(
  options: { readonly onControlChange?: (record: ControlRecord) => void } = {},
): Store {
  const state = createState(options.onControlChange ?? (() => {}));
  return {
    decisions: createDecisionStore(state),
    policies: { load: async (version) => state.policies.get(version) },
    incidents: {
      get: async (incidentId) => state.incidents.get(incidentId),
      causes: async (incidentId) => {
        const causes = [...(state.causes.get(incidentId) ?? [])];
        return causes.sort(([left], [right]) => left - right).map(([, cause]) => cause);
      },
      list: async (limit) => newestFirst(state.incidents).slice(0, limit),
      listOpen: async (limit) =>
        newestFirst(state.incidents)
          .filter((incident) => incident.state === 'open')
          .slice(0, limit),
    },
    health: createHealthStore(state),
    projections: {
      isPaged: async (pageId) => state.pages.has(pageId),
      markPaged: async (pageId, atMs) => {
        state.pages.set(pageId, atMs);
      },
      putFlag: async (mirror) => {
        state.health.flag = mirror;
      },
      flag: async () => state.health.flag,
    },
    held: createHeldStore(state),
    graces: createGraceStore(state),
    prices: createPriceStore(state),
    balances: createBalanceStore(state),
    watches: createWatchStore(state),
    openReservations: createOpenReservations(state),
    proposals: createProposalStore(state),
    audit: createAuditStore(state),
    alerts: {
      raise: async (alert) => {
        if (state.alerts.has(alert.alertId)) return;
        state.alerts.set(alert.alertId, alert);
        state.onControlChange({ type: 'alert-raised', alert });
      },
    },
  };
}

function createProposalStore(state: State): ProposalStore {
  return {
    list: async (limit) => proposalsOf(state).reverse().slice(0, limit),
    due: async (nowMs, limit) =>
      proposalsOf(state)
        .filter((one) => (Proposal.dueOf(one) ?? Number.POSITIVE_INFINITY) <= nowMs)
        .sort((left, right) => (left.dueAtMs ?? 0) - (right.dueAtMs ?? 0))
        .slice(0, limit)
        .map(({ proposalId }) => proposalId),
    draft: async (hash) => state.drafts.get(hash),
  };
}

function proposalsOf(state: State): Proposal.Proposal[] {
  const ids = [...state.proposals.keys()].sort();
  return ids.flatMap((proposalId) => state.proposals.get(proposalId) ?? []);
}

function newestFirst(incidents: ReadonlyMap<string, Incident>): readonly Incident[] {
  const ids = [...incidents.keys()].sort().reverse();
  return ids.flatMap((incidentId) => incidents.get(incidentId) ?? []);
}
