/** The least that counts once: a ledger row and the meter of one scope with five windows, in one transaction. */

import { nodeDigest } from '../lib/adapters/node-digest.ts';
import type * as Ledger from '../lib/domain/ledger.ts';
import * as Meter from '../lib/domain/meter.ts';
import { canonicalBody } from '../lib/domain/withdrawal.ts';
import type { DecisionStore } from '../lib/ports.ts';
import { systemClock } from '../lib/runtime/system.ts';
import { scopesOf, withdrawal } from './events.ts';
import { putMeters } from './rig.ts';
import { CHAIN, ETH, walletName } from './sample-policy.ts';

/** The windows that are judged, ms: 5 and 15 minutes, 1, 6 and 24 hours. */
export const WINDOWS_MS = [300_000, 900_000, 3_600_000, 21_600_000, 86_400_000];

/** What one withdrawal of 1 ETH adds. */
const AMOUNT = 10n ** 18n;
const NOTIONAL = 1_500_000_000n;
const CHARGE: Meter.Charge = {
  notional: NOTIONAL,
  amount: 0n,
  count: 1,
  assets: [nodeDigest.shortHash(ETH)],
};
const ATTEMPTS_MAX = 20;

/** Decides on one scope. */
export type OneScope = {
  readonly fill: (meter: Meter.Meter) => Promise<void>;
  /** Reads, judges five windows by notional and count, writes; again on a conflict. The same id counts once. */
  readonly once: (withdrawalId: string) => Promise<void>;
};

/** A decision on the wallet's scope through the real store. */
export function oneScopeDecision(decisions: DecisionStore, newId: () => string): OneScope {
  const key = scopesOf({}).wallet;
  const once = async (withdrawalId: string) => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const row = oneScopeRow(withdrawalId, { decisionId: newId(), atMs: systemClock.nowMs() });
      const loaded = await decisions.load({ rows: [row.rowId], items: [key] });
      if (loaded.rows.has(row.rowId)) return;
      const stored = loaded.items.get(key);
      const item = charged(stored, row.atMs);
      judge(item.meter, row.atMs);
      const expected = stored?.version ?? ('absent' as const);
      const nothing = { incidents: [], causes: [], alerts: [] };
      const changes: Ledger.Changes = {
        decisionId: row.decisionId,
        atMs: row.atMs,
        rows: [{ row, expected: 'absent' }],
        items: [{ key, item, expected }],
        ...nothing,
      };
      if ((await decisions.commit(changes)) === 'committed') return;
    }
    throw new ContendedError();
  };
  return {
    once,
    fill: (meter) => putMeters({ decisions }, new Map([[key, meter]])),
  };
}

function charged(stored: Ledger.Item | undefined, atMs: number): Ledger.Item {
  const meter = Meter.charge(stored?.meter ?? Meter.EMPTY, CHARGE, atMs);
  const breaker = stored?.breaker ?? { state: 'closed' as const, epoch: 0 };
  return { version: stored ? stored.version + 1 : atMs, meter, breaker };
}

function judge(meter: Meter.Meter, nowMs: number): readonly bigint[] {
  return WINDOWS_MS.flatMap((windowMs) =>
    (['notional', 'count'] as const).map((metric) =>
      Meter.outflow(meter, { metric, windowMs, widenMs: 0, nowMs }),
    ),
  );
}

/** The ledger row of a withdrawal of 1 ETH. */
export function oneScopeRow(
  withdrawalId: string,
  decision: { readonly decisionId: string; readonly atMs: number },
): Ledger.Row {
  const { decisionId, atMs } = decision;
  const { transfer } = withdrawal({ id: withdrawalId, amount: AMOUNT });
  const { destination, actor } = transfer;
  const subject = { chain: CHAIN, wallet: walletName(0), keyDomain: 'vault-0', asset: ETH };
  const leg = { asset: ETH, amount: AMOUNT, notional: NOTIONAL, pricePicoUsd: 1_500n * 10n ** 12n };
  return {
    rowId: `withdrawal:${withdrawalId}`,
    version: 1,
    state: 'reported',
    decisionId,
    bodyHash: nodeDigest.hash(canonicalBody(transfer)),
    atMs,
    policyVersion: 1,
    money: {
      transfer,
      subject: { ...subject, destination, actor },
      charged: [leg],
      chargedAtMs: atMs,
    },
  };
}

/** Other writers won every attempt. */
export class ContendedError extends Error {
  override readonly name = 'OneScope.ContendedError';
  constructor() {
    super(`lost ${ATTEMPTS_MAX} attempts to other writers`);
  }
}
