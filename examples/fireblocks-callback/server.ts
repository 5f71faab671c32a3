/** The handler as a process: keys and mapping from files, HTTP on loopback behind whatever ends TLS. */

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createAdaptorServer } from '@hono/node-server';
import { createReserveClient } from 'breakwater/client/reserve';
import * as z from 'zod/mini';
import { createCallback, type Decision } from './callback.ts';

/** Where everything is. */
export type Settings = {
  readonly port: number;
  /** Breakwater's reserve endpoint. On AWS the client also needs `sign`, see docs/client.md. */
  readonly reserveUrl: string;
  readonly mappingPath: string;
  readonly cosignerPublicKeyPath: string;
  readonly callbackPrivateKeyPath: string;
  readonly shadow: boolean;
  readonly onDecision: (decision: Decision) => void;
};

/** A running handler. */
export type Server = { readonly url: string; readonly stop: () => Promise<void> };

const mappingShape = z.strictObject({
  assets: z.record(
    z.string(),
    z.strictObject({
      asset: z.string().check(z.regex(/^eip155:\d+\/(slip44:\d+|erc20:0x[0-9a-fA-F]{40})$/)),
      decimals: z.number().check(z.refine((value) => Number.isInteger(value) && value >= 0)),
    }),
  ),
  vaults: z.record(
    z.string(),
    z.array(z.string().check(z.regex(/^eip155:\d+:0x[0-9a-fA-F]{40}$/))),
  ),
  nativeAssets: z.record(z.string(), z.string()),
});

/**
 * Starts it.
 *
 * @throws what cannot be read of the files, before it listens; and the socket's error.
 */
export async function startServer(settings: Settings): Promise<Server> {
  const [mapping, cosigner, callback] = await Promise.all(
    [settings.mappingPath, settings.cosignerPublicKeyPath, settings.callbackPrivateKeyPath].map(
      (path) => readFile(path, 'utf8'),
    ),
  );
  // Well below the 30 s that the co-signer waits.
  const client = createReserveClient({ url: settings.reserveUrl, timeoutMs: 6_000 });
  const handle = createCallback({
    reserve: client.reserve,
    mapping: z.parse(mappingShape, JSON.parse(mapping ?? '')),
    cosignerPublicKey: createPublicKey(cosigner ?? ''),
    callbackPrivateKey: createPrivateKey(callback ?? ''),
    shadow: settings.shadow,
    onDecision: settings.onDecision,
  });
  const server = createAdaptorServer({ fetch: handle });
  server.listen(settings.port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : settings.port;
  const stop = async () => {
    const closed = once(server, 'close');
    server.close();
    await closed;
    await client.close();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}
