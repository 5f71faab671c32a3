/**
 * Where the nodes of each chain answer. It is a secret: URLs of node providers hold keys, and whoever
 * can change them can hide what leaves. No error repeats a URL.
 */

import * as z from 'zod/mini';
import * as Caip from '../../domain/caip.ts';
import { parseAsset } from '../wire/identifier.ts';
import { readJson } from '../wire/read.ts';
import type { Endpoint } from './rpc.ts';

/** The nodes of one chain. */
export type ChainNodes = {
  /** The asset that fees are paid in. */
  readonly native: Caip.AssetId;
  readonly endpoints: readonly Node[];
  /** Whether transactions that wait to be mined are looked at: on a public chain that is much data. */
  readonly pending?: boolean | undefined;
  /** The block at which a watcher begins that has read nothing; the head unless given. */
  readonly startAt?: number | undefined;
};

/** One node. `socket` tells of new blocks at once; everything is read from `url`. */
export type Node = Endpoint & { readonly socket?: string | undefined };

/** The nodes by chain. */
export type RpcSettings = ReadonlyMap<Caip.ChainId, ChainNodes>;

/** Endpoints of one chain, and chains: each is asked at once. */
const ENDPOINTS_MAX = 8;
const CHAINS_MAX = 32;

const url = z
  .string()
  .check(z.refine(isReachable('http'), 'must be an https URL, or http on this machine'));
const socket = z
  .string()
  .check(z.refine(isReachable('ws'), 'must be a wss URL, or ws on this machine'));
const name = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes'));

const shape = z.record(
  z.string(),
  z.strictObject({
    native: z.string(),
    endpoints: z
      .array(z.strictObject({ name, url, socket: z.optional(socket) }))
      .check(z.minLength(1), z.maxLength(ENDPOINTS_MAX)),
    pending: z.optional(z.boolean()),
    startAt: z.optional(z.int().check(z.nonnegative())),
  }),
);

/** Reads the JSON of the secret or of the file. @throws {RpcSettingsError} that names field and reason. */
export function parseRpcSettings(text: string): RpcSettings {
  const reading = readJson(shape, text, { under: '', whole: 'RPC settings' });
  if ('problems' in reading) throw new RpcSettingsError({ problems: reading.problems });
  const entries = Object.entries(reading.value);
  const problems = entries.flatMap(([chain, nodes]) => problemsOf(chain, nodes));
  if (entries.length === 0) problems.push('RPC settings: no chain is named');
  if (entries.length > CHAINS_MAX) problems.push(`RPC settings: at most ${CHAINS_MAX} chains`);
  if (problems.length > 0) throw new RpcSettingsError({ problems });
  return new Map(
    entries.map(([, nodes]) => {
      const native = parseAsset(nodes.native);
      return [Caip.chainOf(native), { ...nodes, native }];
    }),
  );
}

function problemsOf(
  chain: string,
  nodes: { readonly native: string; readonly endpoints: readonly Endpoint[] },
): string[] {
  if (!/^eip155:[1-9]\d*$/.test(chain))
    return [`${chain}: must be an EVM chain such as "eip155:1"`];
  const names = new Set(nodes.endpoints.map((endpoint) => endpoint.name));
  const twice = names.size < nodes.endpoints.length;
  return [
    ...(nativeOf(nodes.native) === chain ? [] : [`${chain}.native: must be an asset of ${chain}`]),
    ...(twice ? [`${chain}.endpoints: names an endpoint twice`] : []),
  ];
}

function nativeOf(text: string): string | undefined {
  try {
    return Caip.chainOf(parseAsset(text));
  } catch {
    return undefined;
  }
}

/** Encrypted, or never leaving this machine. */
function isReachable(scheme: 'http' | 'ws'): (text: string) => boolean {
  return (text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname } = new URL(text);
    const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
    return protocol === `${scheme}s:` || (isHere && protocol === `${scheme}:`);
  };
}

/** The settings are not of their form. Nothing is watched with them. */
export class RpcSettingsError extends Error {
  override readonly name = 'RpcSettings.RpcSettingsError';
  constructor(details: { readonly problems: readonly string[] }) {
    super(details.problems.join('; '));
  }
}
