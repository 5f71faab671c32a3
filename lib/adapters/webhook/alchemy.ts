/**
 * Alchemy's Address Activity webhook: transfers of the addresses it is told to watch. Shapes from
 * https://www.alchemy.com/docs/reference/address-activity-webhook, the signature from
 * https://www.alchemy.com/docs/reference/notify-api-quickstart: hex HMAC-SHA256 of the raw body under
 * the webhook's own signing key, in `X-Alchemy-Signature`.
 */

import * as z from 'zod/mini';
import type * as Caip from '../../domain/caip.ts';
import * as Policy from '../../domain/policy.ts';
import { activityShape, type Movement, toMovement, toOutflow } from './alchemy-movement.ts';
import { chainOfNetwork } from './alchemy-networks.ts';
import {
  type CountedChain,
  countedShape,
  type Delivery,
  type Left,
  mustBeTaken,
  type Reading,
  readBody,
  readPart,
  readSettings,
} from './delivery.ts';
import { isSigned } from './hmac.ts';
import type { Receipt, Receipts } from './receipts.ts';
import { MalformedError } from './refusals.ts';

/** Longest body that is read, bytes. Alchemy names no maximum; a block's activity of many addresses is one delivery. */
export const ALCHEMY_BODY_MAX_BYTES = 1_048_576;

const ACTIVITIES_MAX = 2_000;
/** Receipts asked for at the same time. */
const ASKED_AT_ONCE = 8;

const settingsShape = z.strictObject({
  signingKeys: z.array(z.string().check(z.minLength(16))).check(z.minLength(1), z.maxLength(100)),
  counted: countedShape,
});

/** What the secret holds: the signing key of every webhook, and the chains that Alchemy counts. */
export type AlchemySettings = {
  readonly signingKeys: readonly string[];
  readonly counted: Readonly<Record<string, CountedChain>>;
};

const bodyShape = z.object({ type: z.string(), event: z.optional(z.unknown()) });
const eventShape = z.object({
  network: z.string(),
  activity: z.array(z.looseObject({ fromAddress: z.string() })).check(z.maxLength(ACTIVITIES_MAX)),
});

/** What reading needs. */
export type AlchemyDeps = {
  readonly policy: Policy.Policy;
  readonly counted: Readonly<Record<string, CountedChain>>;
  readonly receipts: Receipts;
};

/** Reads the secret. @throws {SettingsError} */
export function parseAlchemySettings(text: string): AlchemySettings {
  const { signingKeys, counted = {} } = readSettings(settingsShape, text);
  return { signingKeys, counted };
}

/** Whether Alchemy sent it, by one of the signing keys. Fail direction: closed. */
export function isFromAlchemy(delivery: Delivery, keys: readonly string[]): boolean {
  const signature = delivery.headers['x-alchemy-signature'];
  return isSigned({ keys, parts: [delivery.body], signature });
}

/**
 * Outflows of the policy's wallets on chains that Alchemy counts. Everywhere else a watcher counts,
 * with nonces and reorganisations that no webhook knows, and the delivery only says that it came.
 * Places are those that a watcher would name, so that even a chain with both counts once.
 * Fail direction: closed, what is not understood is refused as a whole.
 *
 * @throws {MalformedError} {@link LaterError} {@link UnmappedError}
 */
export async function readAlchemy(deps: AlchemyDeps, delivery: Delivery): Promise<Reading> {
  const body = readBody(bodyShape, delivery.body);
  if (body.type !== 'ADDRESS_ACTIVITY') {
    return { events: [], left: [{ what: body.type, why: 'is no address activity' }] };
  }
  const { network, activity } = readPart(eventShape, body.event, 'event');
  const chain = chainOfNetwork(network);
  if (chain === undefined) {
    throw new MalformedError({ problems: [`event.network: "${network}" is no known EVM network`] });
  }
  const moved = activity.flatMap((one, position) =>
    ownMovement(deps.policy, { one, chain, position }),
  );
  const here = deps.counted[chain];
  const left = moved.filter((one) => 'why' in one);
  const movements = moved.filter((one) => 'asset' in one);
  if (!here) return { events: [], left: [...left, ...movements.map(toWatcher)] };
  const receipts = await receiptsOf(deps.receipts, { rpcUrl: here.rpcUrl, movements });
  const read = movements.map((one) => toOutflow(deps.policy, { movement: one, here, receipts }));
  const events = mustBeTaken(read.filter((one) => 'detailType' in one));
  return { events, left: [...left, ...read.filter((one) => 'why' in one)] };
}

/** What one of our wallets paid; what others paid is none of our business and is not read further. */
function ownMovement(
  policy: Policy.Policy,
  given: {
    readonly one: { readonly fromAddress: string };
    readonly chain: Caip.ChainId;
    readonly position: number;
  },
): readonly (Movement | Left)[] {
  const { one, chain, position } = given;
  const wallet = `${chain}:${one.fromAddress.toLowerCase()}` as const;
  if (!Policy.walletOf(policy, wallet)) return [];
  return [toMovement(readPart(activityShape, one, `event.activity.${position}`), wallet)];
}

function toWatcher({ transaction, where }: Movement): Left {
  return { what: `${transaction} ${where.kind}`, why: 'the watcher of its chain counts it' };
}

async function receiptsOf(
  receipts: Receipts,
  asked: { readonly rpcUrl: string; readonly movements: readonly Movement[] },
): Promise<ReadonlyMap<string, Receipt>> {
  const { rpcUrl, movements } = asked;
  const hashes = [...new Set(movements.map(({ transaction }) => transaction))];
  const found: (readonly [string, Receipt])[] = [];
  for (let at = 0; at < hashes.length; at += ASKED_AT_ONCE) {
    const some = hashes.slice(at, at + ASKED_AT_ONCE);
    const answers = some.map(
      async (hash) => [hash, await receipts.find({ rpcUrl, hash })] as const,
    );
    found.push(...(await Promise.all(answers)));
  }
  return new Map(found);
}
