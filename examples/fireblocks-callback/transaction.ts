/**
 * What the co-signer asks about, and which withdrawal that is.
 *
 * Fields as Fireblocks documents them
 * (https://developers.fireblocks.com/cosigners/callback-handler/approve-transactions) and as its own
 * example shows them (https://github.com/fireblocks/eth_tx_validation). One callback serves both the
 * approval and the signature of a transaction; `displayDstAddress` comes with the signature only.
 */

import type { Withdrawal } from 'breakwater/client/reserve';
import { type Hex, keccak256, parseTransaction } from 'viem';
import * as z from 'zod/mini';
import { readTransfer } from '../kms-signer/evm-transfer.ts';

const text = z.string().check(z.minLength(1), z.maxLength(256));
const requestShape = z.object({
  requestId: text,
  txId: text,
  externalTxId: z.optional(text),
  operation: z._default(z.string(), 'TRANSFER'),
  sourceType: z.string(),
  sourceId: z.string(),
  asset: z.string(),
  amountStr: z.string(),
  requestedAmountStr: z.optional(z.string()),
  destAddress: text,
  destinations: z._default(
    z.array(
      z.object({
        amountNativeStr: z.optional(z.string()),
        displayDstAddress: z.optional(z.string()),
      }),
    ),
    [],
  ),
  rawTx: z._default(z.array(z.object({ rawTx: z.string(), payload: z.optional(z.string()) })), []),
});

/** A request of the co-signer, read. */
export type SigningRequest = z.infer<typeof requestShape>;

/** Which Fireblocks names stand for what. What is not in here is not approved. */
export type Mapping = {
  /** Fireblocks asset id (`USDC`) → CAIP-19 and decimals. EVM chains only. */
  readonly assets: Readonly<
    Record<string, { readonly asset: string; readonly decimals: number } | undefined>
  >;
  /** Vault account id → its addresses as CAIP-10, one for each chain. */
  readonly vaults: Readonly<Record<string, readonly string[] | undefined>>;
  /** CAIP-2 chain → CAIP-19 of its coin. */
  readonly nativeAssets: Readonly<Record<string, string | undefined>>;
};

/** Reads the claims of a verified request. */
export function readRequest(
  claims: unknown,
): { readonly request: SigningRequest } | { readonly problem: string } {
  const reading = z.safeParse(requestShape, claims);
  if (reading.success) return { request: reading.data };
  return { problem: `the request cannot be read: ${z.prettifyError(reading.error)}` };
}

/**
 * Finds the withdrawal that a request is about. `externalTxId` is its id: whoever created the
 * transaction gave it, and without one nothing was approved.
 * Fail direction: closed, an unknown name, a doubt or two fields that disagree are a problem.
 */
export function toWithdrawal(
  request: SigningRequest,
  mapping: Mapping,
): { readonly withdrawal: Withdrawal } | { readonly problem: string } {
  const { externalTxId: withdrawalId, operation, sourceType, sourceId } = request;
  if (!withdrawalId) return { problem: 'it has no externalTxId' };
  if (operation !== 'TRANSFER') return { problem: `it is no TRANSFER but ${operation}` };
  if (sourceType !== 'VAULT') return { problem: `its source is no VAULT but ${sourceType}` };
  if (request.destinations.length > 1) return { problem: 'it has more than one destination' };
  const known = own(mapping.assets, request.asset);
  if (!known) return { problem: `the asset ${request.asset} is unknown` };
  const [chain = ''] = known.asset.split('/');
  if (!chain.startsWith('eip155:')) return { problem: `${chain} is no EVM chain` };
  const wallet = own(mapping.vaults, sourceId)?.find((account) => account.startsWith(`${chain}:`));
  if (!wallet) return { problem: `vault account ${sourceId} has no known wallet on ${chain}` };
  const amount = amountOf(request, known.decimals);
  if (amount === undefined) return { problem: 'its amount cannot be told exactly' };
  const address = addressOf(request);
  if (!address) return { problem: 'its destination cannot be told' };
  const { asset } = known;
  const withdrawal = { withdrawalId, wallet, asset, destination: `${chain}:${address}`, amount };
  const isSame = request.rawTx.length === 0 || says(request.rawTx, withdrawal, mapping);
  return isSame ? { withdrawal } : { problem: 'its raw transaction does something else' };
}

/** A name such as `constructor` is in no table. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** All amounts that are there must be one: of a gross transfer, nobody could say which one leaves. */
function amountOf(request: SigningRequest, decimals: number): bigint | undefined {
  const { amountStr, requestedAmountStr = amountStr, destinations } = request;
  const told = [amountStr, requestedAmountStr, destinations[0]?.amountNativeStr ?? amountStr];
  const [amount, ...others] = told.map((each) => toBaseUnits(each, decimals));
  return others.every((other) => other === amount) ? amount : undefined;
}

/**
 * Decimal text to base units, without floats: `"0.01"` with 18 decimals is 10^16. `undefined` for
 * anything but digits and a point, and for more digits after the point than the asset has.
 */
export function toBaseUnits(decimal: string, decimals: number): bigint | undefined {
  const [, whole, fraction = ''] = /^(\d{1,60})(?:\.(\d{1,60}))?$/.exec(decimal) ?? [];
  const digits = fraction.replace(/0+$/, '');
  if (whole === undefined || digits.length > decimals) return undefined;
  return BigInt(whole + digits.padEnd(decimals, '0'));
}

/** The address that both fields name; `displayDstAddress` is absent while it is only approved. */
function addressOf({ destAddress, destinations }: SigningRequest): string | undefined {
  const shown = destinations[0]?.displayDstAddress ?? destAddress;
  const isAddress = /^0x[0-9a-fA-F]{40}$/.test(destAddress);
  return isAddress && shown.toLowerCase() === destAddress.toLowerCase() ? destAddress : undefined;
}

/** Whether the one raw transaction, where the workspace sends it, is this transfer and has this hash. */
function says(rawTx: SigningRequest['rawTx'], withdrawal: Withdrawal, mapping: Mapping): boolean {
  const [one, ...more] = rawTx;
  if (!one || more.length > 0) return false;
  try {
    const serialized: Hex = `0x${one.rawTx}`;
    if (one.payload !== undefined && `0x${one.payload}` !== keccak256(serialized)) return false;
    const { chainId = 0, to, value = 0n, data = '0x' } = parseTransaction(serialized);
    const nativeAsset = own(mapping.nativeAssets, `eip155:${chainId}`) ?? '';
    const wallet = withdrawal.wallet.split(':')[2] as Hex;
    const reading = readTransfer({ chainId, to: to ?? '0x', value, data }, { wallet, nativeAsset });
    if (!('transfer' in reading)) return false;
    const { transfer } = reading;
    const pairs = [
      [transfer.wallet, withdrawal.wallet],
      [transfer.asset, withdrawal.asset],
      [transfer.destination, withdrawal.destination],
    ] as const;
    return (
      transfer.amount === withdrawal.amount &&
      pairs.every(([raw, told]) => raw.toLowerCase() === told.toLowerCase())
    );
  } catch {
    return false;
  }
}
