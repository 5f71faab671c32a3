/** What addresses hold on EVM chains, as every endpoint says: the lowest counts. */

import { type ChainId, chainOf } from '../../domain/caip.ts';
import type { BalanceReader, Holding } from '../../ports.ts';
import { createRpc, InconsistentError, onChain, type Rpc, type RpcLimits } from './rpc.ts';
import type { ChainNodes, RpcSettings } from './rpc-settings.ts';
import { addressOf } from './watch.ts';
import { readHex, readQuantity } from './wire.ts';

/** First four bytes of the Keccak-256 of `balanceOf(address)` (ERC-20). */
const BALANCE_OF = '0x70a08231';
const WORD_DIGITS = 64;

/**
 * A reader through the endpoints of each chain. An endpoint that fails says nothing; where none
 * answers, the holding is an error. Of several answers the lowest counts: an endpoint that lags, or
 * lies, cannot make a balance look larger than another one shows.
 */
export function createBalanceReader(
  settings: () => Promise<RpcSettings>,
  limits: Partial<RpcLimits> = {},
): BalanceReader {
  const rpcs = new Map<string, Rpc>();
  const rpcOf = (chain: ChainId, endpoint: ChainNodes['endpoints'][number]) => {
    const key = `${chain} ${endpoint.url}`;
    const chainId = BigInt(chain.slice('eip155:'.length));
    const rpc = rpcs.get(key) ?? onChain(createRpc(endpoint, limits), chainId);
    rpcs.set(key, rpc);
    return rpc;
  };
  return {
    read: async (holdings) => {
      const nodes = await settings().catch(() => new Map() as RpcSettings);
      return Promise.all(
        holdings.map((holding) => {
          const chain = chainOf(holding.account);
          const known = nodes.get(chain);
          if (!known) return new NoBalanceError({ reasons: [`no node of ${chain} is set up`] });
          const { native, endpoints } = known;
          const asked = endpoints.map((endpoint) => rpcOf(chain, endpoint));
          return lowest(asked, { ...holding, native });
        }),
      );
    },
  };
}

async function lowest(
  rpcs: readonly Rpc[],
  holding: Holding & { readonly native: string },
): Promise<bigint | Error> {
  const answers = await Promise.allSettled(rpcs.map((rpc) => ask(rpc, holding)));
  const amounts = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const [first, ...more] = amounts;
  if (first !== undefined) return more.reduce((least, one) => (one < least ? one : least), first);
  const reasons = answers.flatMap((one) =>
    one.status === 'rejected' && one.reason instanceof Error ? [one.reason.message] : [],
  );
  return new NoBalanceError({ reasons });
}

async function ask(rpc: Rpc, holding: Holding & { readonly native: string }): Promise<bigint> {
  const { account, asset, native } = holding;
  const address = addressOf(account);
  const asked = { name: rpc.name, what: 'balance' };
  if (asset === native) {
    return readQuantity(await rpc.call('eth_getBalance', address, 'latest'), asked);
  }
  const [, contract] = /^eip155:\d+\/erc20:(0x[0-9a-f]{40})$/.exec(asset) ?? [];
  if (!contract) throw new NoBalanceError({ reasons: [`${asset} is neither native nor ERC-20`] });
  const data = `${BALANCE_OF}${address.slice(2).padStart(WORD_DIGITS, '0')}`;
  const word = readHex(await rpc.call('eth_call', { to: contract, data }, 'latest'), asked);
  if (word.length === 2 + WORD_DIGITS) return BigInt(word);
  throw new InconsistentError({ name: rpc.name, why: `${contract} tells no balance` });
}

/** No endpoint told a balance. */
export class NoBalanceError extends Error {
  override readonly name = 'BalanceReader.NoBalanceError';
  constructor(details: { readonly reasons: readonly string[] }) {
    super(details.reasons.join('; ') || 'no endpoint is named');
  }
}
