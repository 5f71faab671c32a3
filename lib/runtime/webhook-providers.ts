/** Who may send webhooks: how each proves who it is, and how what it says is read. */

import {
  ALCHEMY_BODY_MAX_BYTES,
  isFromAlchemy,
  parseAlchemySettings,
  readAlchemy,
} from '../adapters/webhook/alchemy.ts';
import type { Delivery, Reading } from '../adapters/webhook/delivery.ts';
import { FIREBLOCKS_BODY_MAX_BYTES, readFireblocks } from '../adapters/webhook/fireblocks.ts';
import { parseFireblocksSettings } from '../adapters/webhook/fireblocks-settings.ts';
import { type FireblocksKeys, isFromFireblocks } from '../adapters/webhook/fireblocks-signature.ts';
import {
  GENERIC_BODY_MAX_BYTES,
  isFromReporter,
  parseGenericSettings,
  readGeneric,
} from '../adapters/webhook/generic.ts';
import type { Receipts } from '../adapters/webhook/receipts.ts';
import { SettingsError } from '../adapters/webhook/refusals.ts';
import type { Secret } from '../ports.ts';
import type { World } from './world.ts';

/** Names of providers, which are also the paths of the function. */
export const PROVIDERS = ['alchemy', 'fireblocks', 'generic'] as const;

/** A provider by name. */
export type ProviderName = (typeof PROVIDERS)[number];

/** What providers need beyond the world. */
export type ProviderDeps = {
  readonly world: Pick<World, 'clock' | 'decision'>;
  readonly receipts: Receipts;
  readonly fireblocksKeys: FireblocksKeys;
};

/** A delivery with the secret of its provider. */
export type Received = { readonly delivery: Delivery; readonly secret: Secret };

/** A provider. */
export type Provider = {
  readonly bodyMaxBytes: number;
  /** Whether it sent the delivery. Fail direction: closed. */
  readonly authenticate: (deps: ProviderDeps, received: Received) => Promise<boolean>;
  /** Reads what is proved to be its own. Throws one of `refusals.ts`. */
  readonly read: (deps: ProviderDeps, received: Received) => Promise<Reading>;
};

/** The providers. A signature is taken by the present keys, or for a day after a rotation by those before; settings are always the present ones. */
export const providers: Readonly<Record<ProviderName, Provider>> = {
  alchemy: {
    bodyMaxBytes: ALCHEMY_BODY_MAX_BYTES,
    authenticate: async (_deps, { delivery, secret }) =>
      isFromAlchemy(
        delivery,
        keysOf(secret, (text) => parseAlchemySettings(text).signingKeys),
      ),
    read: async ({ world, receipts }, { delivery, secret }) => {
      const { counted } = parseAlchemySettings(secret.current);
      const { policy } = await world.decision.policy.refresh();
      return readAlchemy({ policy, counted, receipts }, delivery);
    },
  },
  fireblocks: {
    bodyMaxBytes: FIREBLOCKS_BODY_MAX_BYTES,
    authenticate: async ({ fireblocksKeys }, { delivery, secret }) => {
      const { environment } = parseFireblocksSettings(secret.current);
      return isFromFireblocks(delivery, fireblocksKeys(environment));
    },
    read: async ({ receipts }, { delivery, secret }) =>
      readFireblocks({ settings: parseFireblocksSettings(secret.current), receipts }, delivery),
  },
  generic: {
    bodyMaxBytes: GENERIC_BODY_MAX_BYTES,
    authenticate: async ({ world }, { delivery, secret }) => {
      const keys = keysOf(secret, (text) => parseGenericSettings(text).keys);
      return isFromReporter(delivery, { keys, nowMs: world.clock.nowMs() });
    },
    read: async ({ world }, { delivery }) => {
      const { policy } = await world.decision.policy.refresh();
      return readGeneric(policy, delivery);
    },
  },
};

function keysOf(
  { current, previous }: Secret,
  parse: (text: string) => readonly string[],
): readonly string[] {
  return [...parse(current), ...(previous === undefined ? [] : orNone(() => parse(previous)))];
}

/** What was replaced may have been replaced because it could not be read. */
function orNone(parse: () => readonly string[]): readonly string[] {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SettingsError) return [];
    throw error;
  }
}
