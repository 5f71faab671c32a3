/**
 * A transaction of a UTXO chain: what our wallet put in, less what came back to it, left (H24). Each
 * output to somebody else is a leg of its own, placed by its index, which is part of the
 * transaction's hash and never changes (H23).
 */

import * as z from 'zod/mini';
import * as Caip from '../../domain/caip.ts';
import * as Money from '../../domain/money.ts';
import * as Policy from '../../domain/policy.ts';
import { parseAccount } from '../wire/identifier.ts';
import type { Outgoing } from './delivery.ts';
import { MalformedError } from './refusals.ts';

const PARTS_MAX = 5_000;
const amount = z.string().check(
  z.regex(/^(0|[1-9]\d{0,77})$/, { error: 'must be a decimal string of base units', abort: true }),
  z.refine((text) => BigInt(text) <= Money.MAX, 'is above 2^256 − 1'),
);

/** Inputs and outputs in full and in order. An output without an address carries data, or is of a kind that has none. */
export const spendShape = z.strictObject({
  kind: z.literal('spend'),
  transaction: z.string(),
  chain: z.string(),
  asset: z.string(),
  inputs: z
    .array(z.strictObject({ address: z.string(), amount }))
    .check(z.minLength(1), z.maxLength(PARTS_MAX)),
  outputs: z
    .array(
      z.strictObject({
        address: z.optional(z.string()),
        amount,
        withdrawalId: z.optional(z.string()),
      }),
    )
    .check(z.minLength(1), z.maxLength(PARTS_MAX)),
});

/** A spend as it was sent. */
export type Spend = z.output<typeof spendShape>;

type Output = {
  readonly place: string;
  readonly account: Caip.AccountId;
  readonly amount: bigint;
  readonly withdrawalId?: string | undefined;
};

/** Where an output without an address went: a destination that nobody approves. */
const NOWHERE = 'nonstandard';

/**
 * The outflows of a spend. Own are the addresses of every wallet of the policy that pays an input, and
 * the inputs' own addresses; the wallet named is that of the first such input. The sender cannot call
 * an output change: only the policy can.
 * Fail direction: closed, an address that the policy does not list is somebody else's, and inputs of
 * others are counted as ours.
 *
 * @throws {MalformedError} outputs above inputs, or an address that is none.
 */
export function toOutflows(
  policy: Policy.Policy,
  given: { readonly spend: Spend; readonly under: string },
): readonly Outgoing[] {
  const { spend, under } = given;
  const account = accounts(spend, under);
  const inputs = spend.inputs.map((one, index) => {
    return { ...one, account: account(one.address, `inputs.${index}`) };
  });
  const outputs = spend.outputs.map((one, index): Output => {
    const { address = NOWHERE, withdrawalId } = one;
    const place = `log:${index}`;
    return {
      place,
      account: account(address, `outputs.${index}`),
      amount: BigInt(one.amount),
      withdrawalId,
    };
  });
  const feeUnits =
    sum(inputs.map((one) => BigInt(one.amount))) - sum(outputs.map((one) => one.amount));
  if (feeUnits < 0n) {
    throw new MalformedError({
      problems: [`${under}.outputs: their amounts are above those of the inputs`],
    });
  }
  const payers = inputs.map((one) => one.account);
  const own = ownOf(policy, payers);
  const wallet = payers.find((payer) => Policy.walletOf(policy, payer)) ?? payers[0];
  const foreign = outputs.filter((one) => one.amount > 0n && !own.has(one.account));
  const legs = foreign.length > 0 ? foreign : feeAlone(outputs, feeUnits);
  return legs.map(({ place, account: destination, amount: units, withdrawalId }, position) => ({
    detailType: 'outflow.observed',
    detail: {
      transaction: spend.transaction,
      place,
      wallet,
      asset: spend.asset,
      destination,
      amount: units.toString(),
      ...(withdrawalId !== undefined && { withdrawalId }),
      ...(position === 0 &&
        feeUnits > 0n && { fee: { asset: spend.asset, amount: feeUnits.toString() } }),
    },
  }));
}

/** Everything came back but the fee, which left all the same: it goes with the first output, whose amount did not. */
function feeAlone(outputs: readonly Output[], feeUnits: bigint): readonly Output[] {
  const [first] = outputs;
  return first && feeUnits > 0n ? [{ ...first, amount: 0n }] : [];
}

function ownOf(policy: Policy.Policy, payers: readonly Caip.AccountId[]): ReadonlySet<string> {
  const wallets = payers.flatMap((payer) => Policy.walletOf(policy, payer)?.addresses ?? []);
  return new Set([...payers, ...wallets]);
}

function accounts(spend: Spend, under: string): (address: string, part: string) => Caip.AccountId {
  const chain = named(`${under}.chain`, () => Caip.parseChain(spend.chain));
  return (address, part) =>
    named(`${under}.${part}.address`, () => parseAccount(`${chain}:${address}`));
}

function named<T>(field: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'cannot be read';
    throw new MalformedError({ problems: [`${field}: ${why}`] });
  }
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, one) => total + one, 0n);
}
