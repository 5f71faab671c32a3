/**
 * Starts the handler beside an embedded runtime, for the first days in shadow mode:
 *
 *     RESERVE_URL=http://localhost:4780/reserve MAPPING=examples/fireblocks-callback/mapping.json \
 *     COSIGNER_PUBLIC_KEY=cosigner_public.pem CALLBACK_PRIVATE_KEY=callback_private.pem SHADOW=true \
 *     node scripts/node24.mjs examples/fireblocks-callback/main.ts
 */

import { startServer } from './server.ts';

const server = await startServer({
  port: Number(process.env.PORT ?? 8080),
  reserveUrl: setting('RESERVE_URL'),
  mappingPath: setting('MAPPING'),
  cosignerPublicKeyPath: setting('COSIGNER_PUBLIC_KEY'),
  callbackPrivateKeyPath: setting('CALLBACK_PRIVATE_KEY'),
  shadow: process.env.SHADOW === 'true',
  onDecision: (decision) => console.log(JSON.stringify(decision)),
});
console.log(`the callback handler listens on ${server.url}`);
process.once('SIGTERM', () => void server.stop());
process.once('SIGINT', () => void server.stop());

function setting(name: string): string {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set`);
  process.exit(1);
}
