/** The outflows of a transaction that Fireblocks completed: one for each destination. */

import type * as Caip from '../../domain/caip.ts';
import { toUnits } from './decimal.ts';
import type { Outgoing } from './delivery.ts';
import type { FireblocksSettings, MappedAsset } from './fireblocks-settings.ts';
import { given, type Transaction } from './fireblocks-transaction.ts';
import { placeOfLog, type Receipts } from './receipts.ts';
import { MalformedError, UnmappedError } from './refusals.ts';

const LEGS_MAX = 500;

/** What reading needs. */
export type FireblocksDeps = {
  readonly settings: FireblocksSettings;
  readonly receipts: Receipts;
};

type Completed = {
  readonly transaction: Transaction;
  readonly mapped: MappedAsset;
  readonly chain: Caip.ChainId;
};
type Leg = {
  readonly address: string;
  readonly tag: string | undefined;
  readonly amount: bigint;
};

/**
 * The legs. The fee goes with the first one: it left once.
 *
 * @throws {MalformedError} {@link UnmappedError} {@link LaterError}
 */
export async function legsOf(deps: FireblocksDeps, of: Completed): Promise<readonly Outgoing[]> {
  const { transaction, mapped, chain } = of;
  const hash = given(transaction.txHash);
  if (hash === undefined) {
    const what = transaction.operation ?? 'it';
    throw malformed(`txHash: ${what} was signed without a transaction that could be matched`);
  }
  mustBeOneTransfer(transaction);
  const vault = transaction.source?.id ?? '';
  const wallet = deps.settings.vaults.get(vault)?.get(chain);
  if (wallet === undefined) {
    throw new UnmappedError({ problems: [`vaults.${vault}: names no account on ${chain}`] });
  }
  const legs = readLegs(of);
  const fee = feeOf(deps, of);
  const places = await placesOf(deps, { ...of, hash, count: legs.length });
  const withdrawalId = legs.length === 1 ? given(transaction.externalTxId) : undefined;
  return legs.map(({ address, tag, amount }, position) => ({
    detailType: 'outflow.observed',
    detail: {
      transaction: hash,
      place: places[position],
      wallet,
      asset: mapped.asset,
      destination: `${chain}:${address}`,
      amount: amount.toString(),
      ...(tag !== undefined && { memo: tag }),
      ...(withdrawalId !== undefined && { withdrawalId }),
      ...(position === 0 && fee && { fee }),
    },
  }));
}

/** A contract call can pay many; their amounts stand only in records that are not read. */
function mustBeOneTransfer({ source, networkRecords, destinations }: Transaction): void {
  const own = networkRecords?.filter((record) => record.source?.id === source?.id) ?? [];
  if (own.length > 1 && !destinations?.length) {
    throw malformed(
      'networkRecords: several transfers left in one transaction; report them to /generic',
    );
  }
}

/**
 * Several destinations come in no promised order, and their outputs are not numbered: they are put in
 * an order of their own, so that the same delivery gives the same places again.
 */
function readLegs({ transaction, mapped, chain }: Completed): readonly Leg[] {
  const several = transaction.destinations ?? [];
  if (several.length > LEGS_MAX) throw malformed(`destinations: more than ${LEGS_MAX}`);
  const { destinationAddress, destinationTag } = transaction;
  const isOne = several.length === 0;
  const all = isOne
    ? [{ destinationAddress, destinationTag, amount: netOf(transaction) }]
    : several;
  const legs = all.map((one, position): Leg => {
    const under = isOne ? '' : `destinations.${position}.`;
    const address = given(one.destinationAddress);
    if (address === undefined) throw malformed(`${under}destinationAddress: is missing`);
    const field = isOne ? 'amountInfo.amount' : `${under}amount`;
    const amount = units(given(one.amount), { field, ...mapped });
    return { address: spelled(chain, address), tag: given(one.destinationTag), amount };
  });
  return isOne ? legs : legs.toSorted(byAddressThenAmount);
}

/** What arrives. The requested amount stands where Fireblocks has not taken a fee from it. */
function netOf({ amountInfo }: Transaction): string | undefined {
  const net = given(amountInfo?.netAmount);
  const isKnown = net !== undefined && !/^(-|0+(\.0+)?$)/.test(net);
  return isKnown ? net : given(amountInfo?.amount);
}

function spelled(chain: Caip.ChainId, address: string): string {
  return chain.startsWith('eip155:') ? address.toLowerCase() : address;
}

function byAddressThenAmount(a: Leg, b: Leg): number {
  const [left, right] = [a, b].map((leg) => `${leg.address} ${leg.tag ?? ''}`);
  if (left !== right) return (left ?? '') < (right ?? '') ? -1 : 1;
  return a.amount < b.amount ? -1 : Number(a.amount > b.amount);
}

function feeOf({ settings }: FireblocksDeps, { transaction, chain }: Completed) {
  const { feeInfo, feeCurrency } = transaction;
  const text = given(feeInfo?.networkFee);
  if (text === undefined || feeInfo?.paidByRelay) return undefined;
  const paid = settings.assets.get(given(feeCurrency) ?? transaction.assetId ?? '');
  if (!paid) {
    throw new UnmappedError({ problems: [`data.feeCurrency: "${feeCurrency}" is not in assets`] });
  }
  if (!paid.asset.startsWith(`${chain}/`)) {
    throw new UnmappedError({
      problems: [`data.feeCurrency: "${feeCurrency}" is not on ${chain}`],
    });
  }
  const amount = units(text, { field: 'feeInfo.networkFee', decimals: paid.decimals });
  return amount === 0n ? undefined : { asset: paid.asset, amount: amount.toString() };
}

async function placesOf(
  deps: FireblocksDeps,
  of: Completed & { readonly hash: string; readonly count: number },
): Promise<readonly string[]> {
  const { transaction, mapped, chain, hash, count } = of;
  if (count > 1) return Array.from({ length: count }, (_, position) => `log:${position}`);
  const here = deps.settings.counted[chain];
  if (here) {
    if (mapped.asset === here.native) return ['top'];
    const { logIndex, blockInfo } = transaction;
    if (typeof logIndex !== 'number') throw malformed('logIndex: is missing');
    const receipt = await deps.receipts.find({ rpcUrl: here.rpcUrl, hash });
    const blockHash = given(blockInfo?.blockHash);
    return [placeOfLog(receipt, { index: logIndex, blockHash })];
  }
  return [placeOfIndex(chain, transaction.index)];
}

/** On UTXO chains `index` is the output; elsewhere the transfer's position, 0 where there is but one. */
function placeOfIndex(chain: Caip.ChainId, index: number | null | undefined): string {
  const isUtxo = chain.startsWith('bip122:');
  if (typeof index !== 'number' || index < 0) {
    if (isUtxo) throw malformed('index: is missing');
    return 'top';
  }
  return isUtxo || index > 0 ? `log:${index}` : 'top';
}

function units(
  text: string | undefined,
  of: { readonly field: string; readonly decimals: number },
): bigint {
  if (text === undefined) throw malformed(`${of.field}: is missing`);
  const amount = toUnits(text, of.decimals);
  if (amount !== undefined) return amount;
  throw malformed(`${of.field}: "${text}" is no decimal with at most ${of.decimals} places`);
}

function malformed(problem: string): MalformedError {
  return new MalformedError({ problems: [`data.${problem}`] });
}
