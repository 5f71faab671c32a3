/** The service, put together: this is what talks to Breakwater, and all that has to. */

import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { createFlagClient } from 'breakwater/client/flag';
import { createReserveClient } from 'breakwater/client/reserve';
import { createApp } from './app.ts';
import { accountId, connectNode, ETH } from './ethereum.ts';
import { createReport } from './report.ts';
import type { Signer } from './signer.ts';
import { type Deps, type Order, type Status, withdraw } from './withdraw.ts';

/** What the service is started with. */
export type Options = {
  readonly rpcUrl: string;
  readonly breakwaterUrl: string;
  readonly signer: Signer;
  /** The first-day switch: whatever Breakwater says or does not say, withdrawals go out. */
  readonly shadow: boolean;
  readonly log: (line: string) => void;
  /** A free one unless given. */
  readonly port?: number;
  readonly askAgainMs?: number;
};

/** A running service. */
export type Service = { readonly url: string; readonly stop: () => Promise<void> };

/** Starts the service on loopback. */
export async function startService(options: Options): Promise<Service> {
  const { rpcUrl, breakwaterUrl, signer, shadow, log, port = 0, askAgainMs = 5_000 } = options;
  const wallet = accountId(signer.address);
  const reserving = createReserveClient({ url: `${breakwaterUrl}/reserve`, shadow });
  const contexts = [{ wallet, asset: ETH }];
  const flag = createFlagClient({ url: `${breakwaterUrl}/flag`, contexts, shadow });

  const stopping = new AbortController();
  const book = createBook(log, async (order) => {
    await withdraw(deps, order).catch((error) => {
      if (!stopping.signal.aborted) log(`${order.id} is left as it is: ${error}`);
    });
  });
  const deps: Deps = {
    node: connectNode(rpcUrl),
    signer,
    reserve: reserving.reserve,
    report: createReport(breakwaterUrl, log),
    inTurn: createTurns(),
    sleep: (delayMs) => sleep(delayMs, undefined, { signal: stopping.signal }),
    askAgainMs,
    tell: book.tell,
  };

  const app = createApp({ flag, wallet, shadow, ...book });
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port });
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const stop = async () => {
    stopping.abort();
    flag.close();
    await reserving.close();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${typeof address === 'object' && address?.port}`, stop };
}

/** Orders and how far they are. Yours is your database. */
function createBook(log: Options['log'], start: (order: Order) => Promise<void>) {
  const orders = new Map<string, { readonly order: Order; status: Status }>();
  const tell: Deps['tell'] = ({ id }, status) => {
    const entry = orders.get(id);
    const isNew = entry?.status.text !== status.text;
    if (entry) entry.status = status;
    if (isNew)
      log(`${[id, status.state, status.transaction ?? ''].join(' ').trim()}: ${status.text}`);
  };
  const take = (order: Order): boolean => {
    const known = orders.get(order.id);
    if (known) return isSame(known.order, order);
    orders.set(order.id, { order, status: { state: 'pending', text: 'taken' } });
    void start(order);
    return true;
  };
  return { take, tell, statusOf: (id: string) => orders.get(id)?.status };
}

function isSame(left: Order, right: Order): boolean {
  const fields = ['customer', 'amount', 'destination'] as const;
  return fields.every((field) => left[field] === right[field]);
}

/** Runs one work after the other. */
function createTurns(): Deps['inTurn'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
