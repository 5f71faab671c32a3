/** What `receive-webhook` needs in the embedded runtime: secrets from a file, everything else as deployed. */

import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import { cachedSecrets } from '../adapters/cached-secrets.ts';
import { publishedKeys } from '../adapters/webhook/fireblocks-signature.ts';
import { createRpcReceipts } from '../adapters/webhook/receipts.ts';
import { readJson } from '../adapters/wire/read.ts';
import { hostTimers } from '../client/time.ts';
import type { Secret } from '../ports.ts';
import type { Options } from '../runtime/receive-webhook.ts';
import { systemClock } from '../runtime/system.ts';
import { PROVIDERS, type ProviderName } from '../runtime/webhook-providers.ts';
import type { World } from '../runtime/world.ts';

/** How long a node may take for a receipt, ms. */
const RECEIPT_MAX_MS = 3_000;

const part = z.optional(z.record(z.string(), z.unknown()));
const fileShape = z.strictObject({ alchemy: part, fireblocks: part, generic: part });

type Contents = z.output<typeof fileShape>;

/**
 * Reads the file once to see which providers it names, and again when a secret is older than it may
 * be: a key changed in it is taken without a restart. Without a file no provider has a path.
 *
 * @throws {SecretsFileError}
 */
export async function localWebhooks(world: World, path: string | undefined): Promise<Options> {
  const contents = path === undefined ? {} : await readSecrets(path);
  const names = PROVIDERS.filter((name) => contents[name] !== undefined);
  const read = async (name: string): Promise<Secret> => {
    const now = path === undefined ? {} : await readSecrets(path);
    return { current: JSON.stringify(now[name as ProviderName] ?? null) };
  };
  return {
    secrets: cachedSecrets(read, { clock: systemClock }),
    secretNames: Object.fromEntries(names.map((name) => [name, name])),
    sender: world.events,
    receipts: createRpcReceipts({ fetch, timers: hostTimers, timeoutMs: RECEIPT_MAX_MS }),
    fireblocksKeys: publishedKeys(fetch),
  };
}

async function readSecrets(path: string): Promise<Contents> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SecretsFileError({ path, problems: ['cannot be read'], cause });
  });
  const reading = readJson(fileShape, text, { under: '', whole: 'file' });
  if ('problems' in reading) throw new SecretsFileError({ path, problems: reading.problems });
  return reading.value;
}

/** The file with the secrets of webhooks is not there or not of its form. */
export class SecretsFileError extends Error {
  override readonly name = 'LocalWebhooks.SecretsFileError';
  constructor(details: {
    readonly path: string;
    readonly problems: readonly string[];
    readonly cause?: unknown;
  }) {
    super(`${details.path}: ${details.problems.join('; ')}`, { cause: details.cause });
  }
}
