/**
 * Chain-agnostic identifiers, parsed once at the edge.
 *
 * Formats: chain CAIP-2 (`eip155:1`), account CAIP-10 (`eip155:1:0xab…`), asset CAIP-19
 * (`eip155:1/slip44:60`, `eip155:1/erc20:0x…`), see https://chainagnostic.org/CAIPs.
 * Hex addresses of `eip155` are lower-cased here and nowhere else; other namespaces keep their case.
 */

/** A CAIP-2 chain. */
export type ChainId = `${string}:${string}`;
/** A CAIP-10 account: a wallet address or a destination. */
export type AccountId = `${string}:${string}:${string}`;
/** A CAIP-19 asset type. */
export type AssetId = `${string}:${string}/${string}:${string}`;

const CHAIN = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/;
const ADDRESS = /^[-.%a-zA-Z0-9:]{1,128}$/;
const ASSET = /^[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}$/;
const EVM_ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** Reads a CAIP-2 chain. @throws {InvalidIdError} */
export function parseChain(text: string): ChainId {
  if (!CHAIN.test(text))
    throw new InvalidIdError({ text, expected: 'a CAIP-2 chain such as "eip155:1"' });
  return text as ChainId;
}

/**
 * Reads a CAIP-10 account. An `eip155` address must be 20 bytes of hex and comes back in lower case.
 *
 * @throws {InvalidIdError}
 */
export function parseAccount(text: string): AccountId {
  const error = { text, expected: 'a CAIP-10 account such as "eip155:1:0x…" (40 hex digits)' };
  const parts = /^([^:]+:[^:]+):(.+)$/.exec(text);
  if (!parts?.[1] || !parts[2] || !CHAIN.test(parts[1])) throw new InvalidIdError(error);
  const [, chain, address] = parts;
  if (!ADDRESS.test(address)) throw new InvalidIdError(error);
  if (!chain.startsWith('eip155:')) return text as AccountId;
  if (!EVM_ADDRESS.test(address)) throw new InvalidIdError(error);
  return `${chain}:${address.toLowerCase()}` as AccountId;
}

/**
 * Reads a CAIP-19 asset type. On `eip155` chains a contract reference comes back in lower case.
 *
 * @throws {InvalidIdError}
 */
export function parseAsset(text: string): AssetId {
  const error = {
    text,
    expected: 'a CAIP-19 asset such as "eip155:1/slip44:60" or "eip155:1/erc20:0x…"',
  };
  const slash = text.indexOf('/');
  const chain = text.slice(0, slash);
  const asset = text.slice(slash + 1);
  if (slash < 0 || !CHAIN.test(chain) || !ASSET.test(asset)) throw new InvalidIdError(error);
  if (!chain.startsWith('eip155:') || asset.startsWith('slip44:')) return text as AssetId;
  const [namespace, reference = ''] = asset.split(':');
  if (namespace === 'erc20' && !EVM_ADDRESS.test(reference)) throw new InvalidIdError(error);
  return `${chain}/${namespace}:${reference.toLowerCase()}` as AssetId;
}

/** The chain of an account or of an asset. */
export function chainOf(id: AccountId | AssetId): ChainId {
  const [namespace, reference = ''] = id.split(/[:/]/);
  return `${namespace}:${reference}` as ChainId;
}

/** An identifier does not have the form its standard asks for. */
export class InvalidIdError extends Error {
  override readonly name = 'Caip.InvalidIdError';
  constructor(details: { readonly text: string; readonly expected: string }) {
    super(`"${details.text.slice(0, 200)}" is not ${details.expected}`);
  }
}
