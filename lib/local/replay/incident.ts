/** A real drain as a replay needs it: what left, from which wallets, in which order. */

import type { AccountId, AssetId, ChainId } from '../../domain/caip.ts';

/**
 * How the outflows of an incident reach Breakwater. `outflow.observed`: the keys had leaked, so the
 * chain shows outflows behind which no approved withdrawal stands. `withdrawal.reported`: the victim's
 * own withdrawal path was made to sign, so each looks approved.
 */
export type Entry = 'outflow.observed' | 'withdrawal.reported';

/**
 * What no source states about an outflow, so that a replay had to give it: never shown as a fact.
 * `amount` was derived from USD and a price, `decimals` were assumed.
 */
export type SyntheticField =
  | 'time'
  | 'wallet'
  | 'destination'
  | 'transaction'
  | 'place'
  | 'amount'
  | 'decimals';

/** A hot wallet of the victim, one per chain and address. */
export type IncidentWallet = {
  readonly name: string;
  readonly keyDomain: string;
  readonly chain: ChainId;
  readonly account: AccountId;
  /** The address is a stand-in: no source states it. */
  readonly synthetic: boolean;
};

/** An asset that left or that ordinary traffic moves. */
export type IncidentAsset = {
  readonly asset: AssetId;
  readonly chain: ChainId;
  readonly symbol: string;
  readonly decimals: number;
  /** USD of one whole token at the time of the incident, a plain decimal; absent where nobody states one. */
  readonly floorPriceUsd?: string | undefined;
  /**
   * Where the price comes from: `stated` from an outflow with amount and USD, `approximated` from
   * `assets.csv`, `unit` for ids that count micro-USD, which are aggregates and no token.
   */
  readonly priceSource: 'stated' | 'approximated' | 'unit' | 'none';
  /** Share of ordinary traffic relative to the other assets; 0: none. */
  readonly trafficWeight: number;
};

/** One row of an incident file. */
export type IncidentOutflow = {
  /** Line of the incident file, 1-based. */
  readonly line: number;
  readonly atMs: number;
  /** Name of the wallet that paid. */
  readonly wallet: string;
  readonly account: AccountId;
  readonly asset: AssetId;
  readonly symbol: string;
  readonly decimals: number;
  readonly destination: AccountId;
  /** Base units; micro-USD for an asset of which only USD is known. */
  readonly amount: bigint;
  /** As published, else amount × price rounded up; absent where no price exists either. */
  readonly notionalMicroUsd?: bigint | undefined;
  readonly transaction: string;
  readonly place: string;
  /** Only a total is public: many transfers stand behind this one event. */
  readonly aggregate: boolean;
  readonly precision: string;
  readonly sourceUrl: string;
  readonly synthetic: readonly SyntheticField[];
};

/** When what happened, ms. Absent: not public. */
export type Milestones = {
  readonly firstTheftMs: number;
  readonly outsideAlertMs?: number | undefined;
  readonly suspensionMs?: number | undefined;
  readonly acknowledgementMs?: number | undefined;
  readonly disclosureMs?: number | undefined;
};

/** A drain, ready to replay; `outflows` are in order of time. */
export type Incident = {
  /** File name without `.csv`, such as `coinex-2023`. */
  readonly name: string;
  readonly title: string;
  readonly note: string;
  readonly entry: Entry;
  readonly keyDomain: string;
  readonly milestones: Milestones;
  readonly wallets: readonly IncidentWallet[];
  readonly assets: readonly IncidentAsset[];
  readonly outflows: readonly IncidentOutflow[];
};

/** The figures that a replay is compared with. Minutes are whole, counted from the first theft. */
export type Summary = {
  readonly stolenMicroUsd: bigint;
  readonly outflowCount: number;
  readonly aggregateCount: number;
  /** Outflows without any price, left out of the sum. */
  readonly unpricedCount: number;
  readonly firstTheftMs: number;
  readonly outsideAlertMinutes?: number | undefined;
  readonly suspensionMinutes?: number | undefined;
  readonly acknowledgementMinutes?: number | undefined;
  readonly disclosureMinutes?: number | undefined;
};

/** Sums up an incident from its rows and its timeline; nothing is known here beforehand. */
export function summarize(incident: Incident): Summary {
  const { milestones, outflows } = incident;
  const minutes = (atMs: number | undefined) =>
    atMs === undefined ? undefined : Math.floor((atMs - milestones.firstTheftMs) / 60_000);
  return {
    stolenMicroUsd: outflows.reduce((sum, outflow) => sum + (outflow.notionalMicroUsd ?? 0n), 0n),
    outflowCount: outflows.length,
    aggregateCount: outflows.filter((outflow) => outflow.aggregate).length,
    unpricedCount: outflows.filter((outflow) => outflow.notionalMicroUsd === undefined).length,
    firstTheftMs: milestones.firstTheftMs,
    outsideAlertMinutes: minutes(milestones.outsideAlertMs),
    suspensionMinutes: minutes(milestones.suspensionMs),
    acknowledgementMinutes: minutes(milestones.acknowledgementMs),
    disclosureMinutes: minutes(milestones.disclosureMs),
  };
}
