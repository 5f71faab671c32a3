/** Every way to ask whether money may leave, attached to one runtime as services would attach them. */

import { OpenFeature } from '@openfeature/server-sdk';
import { createFlagClient, type FlagClient } from '../lib/client/flag-client.ts';
import { createFlagReader } from '../lib/client/flag-reader.ts';
import { guardWithdrawals } from '../lib/client/guard.ts';
import { createBreakwaterProvider, FLAG_KEY } from '../lib/client/openfeature.ts';
import { createReserveClient, type ReserveClient } from '../lib/client/reserve-client.ts';
import { LOCAL_REGION } from '../lib/local/local-account.ts';
import type { LeaseStage } from './lease-stage.ts';
import { customerAccount, ETH, walletAccount, walletName } from './sample-policy.ts';

/** A client: whether it lets money leave now. */
export type Ask = () => Promise<boolean>;

/** Clients by name, the end of the lease as the engine holds it, and their end. */
export type Clients = {
  readonly asks: ReadonlyMap<string, Ask>;
  readonly inForceUntilMs: () => Promise<number>;
  readonly close: () => Promise<void>;
};

const TABLES = { ledgerTable: 'breakwater-ledger', controlTable: 'breakwater-control' };
const QUESTION = { wallet: walletName(0) };

/** Attaches the clients. `name` is the domain of the OpenFeature client. The SDK takes its credentials from the environment. */
export async function attachClients(stage: LeaseStage, name: string): Promise<Clients> {
  const { clock, engineEndpoint: endpoint } = stage;
  const reader = createFlagReader({ ...TABLES, region: LOCAL_REGION, endpoint, clock });
  const url = `${stage.url}/flag`;
  const flag = createFlagClient({ url, clock });
  const polled = createFlagClient({ url, clock, contexts: [QUESTION] });
  const reserving = createReserveClient({ url: `${stage.url}/reserve` });
  await OpenFeature.setProviderAndWait(name, createBreakwaterProvider({ flag }));
  const asks = new Map<string, Ask>([
    ['flag, strong read over HTTP', async () => (await flag.check(QUESTION)).enabled],
    ['flag, polled over HTTP', async () => polled.cached(QUESTION).enabled],
    ['flag, strong read of the tables', async () => (await reader.read(QUESTION)).enabled],
    ['OpenFeature provider', () => askProvider(name)],
    ['guard in front of a route', askGuard(polled)],
    ['reserve over HTTP', askReserve(reserving, name)],
  ]);
  return {
    asks,
    inForceUntilMs: async () => (await reader.read(QUESTION)).inForceUntilMs ?? 0,
    close: async () => {
      flag.close();
      polled.close();
      await reserving.close();
    },
  };
}

// The default is the wrong one on purpose: the provider must not give it.
function askProvider(name: string): Promise<boolean> {
  return OpenFeature.getClient(name).getBooleanValue(FLAG_KEY, true, QUESTION);
}

function askGuard(polled: FlagClient): Ask {
  const guard = guardWithdrawals({ flag: polled.cached, question: () => QUESTION });
  const route = () => new Response('passed');
  return async () => (await guard(new Request('http://localhost/'), route)).ok;
}

function askReserve(client: ReserveClient, name: string): Ask {
  let asked = 0;
  return async () => {
    asked += 1;
    const { verdict } = await client.reserve({
      withdrawalId: `${name}-${asked}`,
      wallet: walletAccount(0),
      asset: ETH,
      destination: customerAccount(0),
      amount: 1n,
    });
    return verdict === 'allow';
  };
}
