/** What a withdrawal goes through before it is paid: Breakwater is asked until it allows, or never will. */

import type { ReserveClient, ShadowVerdict, Verdict } from 'breakwater/client/reserve';
import type { Address, Hex } from 'viem';
import { accountId, ETH, FEE_MAX_WEI, type Node } from './ethereum.ts';
import { pay } from './pay.ts';
import type { Report } from './report.ts';
import type { Signer } from './signer.ts';

/** What a customer asked for; `amount` in wei. */
export type Order = {
  readonly id: string;
  readonly customer: string;
  readonly amount: bigint;
  readonly destination: Address;
};

/** How far it is. `unclear`: signed, and nobody can tell whether it left; a person has to look. */
export type Status = {
  readonly state: 'pending' | 'sent' | 'settled' | 'refused' | 'failed' | 'unclear';
  readonly text: string;
  readonly transaction?: Hex | undefined;
};

/** A status, and after which pause it is worth another attempt. Without one it stays as it is. */
export type Outcome = Status & { readonly againInMs?: number };

/** What the way of a withdrawal needs. */
export type Deps = {
  readonly node: Node;
  readonly signer: Signer;
  readonly reserve: ReserveClient<Verdict | ShadowVerdict>['reserve'];
  readonly report: Report;
  /** One work after the other. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Rejected when the service stops. */
  readonly sleep: (delayMs: number) => Promise<void>;
  readonly tell: (order: Order, status: Status) => void;
  readonly askAgainMs: number;
};

const ATTEMPTS_MAX = 1_000;
const ASK_AGAIN_MAX_MS = 60_000;

/** Carries a withdrawal out. It may be asked about as often as needed: an id is charged once. */
export async function withdraw(deps: Deps, order: Order): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const { againInMs, ...status } = await attemptOnce(deps, order);
    deps.tell(order, status);
    if (againInMs === undefined) return;
    await deps.sleep(againInMs);
  }
  deps.tell(order, { state: 'refused', text: 'it was asked about too often' });
}

async function attemptOnce(deps: Deps, order: Order): Promise<Outcome> {
  const verdict = await deps.reserve({
    withdrawalId: order.id,
    wallet: accountId(deps.signer.address),
    asset: ETH,
    destination: accountId(order.destination),
    actor: order.customer,
    amount: order.amount,
    fee: { asset: ETH, amount: FEE_MAX_WEI },
  });
  if (verdict.verdict === 'allow') return pay(deps, order, verdict);
  if (verdict.verdict === 'block' && !verdict.provisional) {
    return { state: 'refused', text: verdict.text };
  }
  const text = `${verdict.verdict === 'hold' ? 'on hold' : 'not now'}: ${verdict.text}`;
  return { state: 'pending', text, againInMs: pauseMs(deps, verdict) };
}

/** Within a minute, whatever `capacityAt` says: an operator may make room earlier. */
function pauseMs(
  { askAgainMs }: Deps,
  { capacityAt }: { capacityAt?: string | undefined },
): number {
  const leftMs = capacityAt === undefined ? 0 : Date.parse(capacityAt) - Date.now();
  return Math.max(askAgainMs, Math.min(leftMs, ASK_AGAIN_MAX_MS));
}
