/** Secrets from AWS Secrets Manager, by their staging labels. */

import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { Clock, Secret } from '../../ports.ts';

/** How long after a rotation the secret before it is believed, ms. One that leaked is ended at once by rotating twice. */
const PREVIOUS_MAX_MS = 86_400_000;

/**
 * Reads a secret: `AWSCURRENT`, and `AWSPREVIOUS` for a day after the current one was made.
 * Fail direction: closed, whatever Secrets Manager does not give as text throws.
 */
export function createSecretReader(
  client: SecretsManagerClient,
  options: { readonly clock: Clock },
): (name: string) => Promise<Secret> {
  return async (name) => {
    const { SecretString: current, CreatedDate: madeAt } = await readVersion(client, name);
    if (!current) throw new UnreadableError({ name });
    const ageMs = options.clock.nowMs() - (madeAt?.getTime() ?? 0);
    const previous = ageMs < PREVIOUS_MAX_MS ? await previousOf(client, name) : undefined;
    return { current, ...(previous !== undefined && { previous }) };
  };
}

async function previousOf(client: SecretsManagerClient, name: string): Promise<string | undefined> {
  try {
    return (await readVersion(client, name, 'AWSPREVIOUS')).SecretString;
  } catch (error) {
    // A secret that was never rotated has none.
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

function readVersion(client: SecretsManagerClient, name: string, stage = 'AWSCURRENT') {
  return client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: stage }));
}

/** A secret holds no text. */
export class UnreadableError extends Error {
  override readonly name = 'SecretsManager.UnreadableError';
  constructor(details: { readonly name: string }) {
    super(`the secret ${details.name} holds no text`);
  }
}
