/**
 * What Fireblocks' words mean here: which vault account is which wallet, which asset is which. It is
 * kept as a secret, not for secrecy: whoever can change it can hide what leaves.
 */

import * as z from 'zod/mini';
import * as Caip from '../../domain/caip.ts';
import { parseAccount, parseAsset } from '../wire/identifier.ts';
import { type CountedChain, countedShape, readSettings } from './delivery.ts';
import type { Environment } from './fireblocks-signature.ts';
import { SettingsError } from './refusals.ts';

const DECIMALS_MAX = 77;

const settingsShape = z.strictObject({
  environment: z.enum(['us', 'eu', 'eu2', 'sandbox']),
  workspaceId: z.string().check(z.minLength(1)),
  vaults: z.record(z.string(), z.array(z.string()).check(z.minLength(1))),
  ignoredVaults: z.optional(z.array(z.string())),
  assets: z.record(
    z.string(),
    z.strictObject({
      asset: z.string(),
      decimals: z.int().check(z.minimum(0), z.maximum(DECIMALS_MAX)),
    }),
  ),
  counted: countedShape,
});

/** An asset of Fireblocks, in our terms. */
export type MappedAsset = { readonly asset: Caip.AssetId; readonly decimals: number };

/** The settings, read. */
export type FireblocksSettings = {
  readonly environment: Environment;
  /** The keys sign for every customer of Fireblocks: only this workspace speaks for us. */
  readonly workspaceId: string;
  /** By vault account id: one account on each chain. */
  readonly vaults: ReadonlyMap<string, ReadonlyMap<Caip.ChainId, Caip.AccountId>>;
  /** Vault accounts that are no hot wallet, each named: a forgotten one alarms instead. */
  readonly ignoredVaults: ReadonlySet<string>;
  /** By Fireblocks' asset id. */
  readonly assets: ReadonlyMap<string, MappedAsset>;
  /** EVM chains that have no watcher. */
  readonly counted: Readonly<Record<string, CountedChain>>;
};

/** Reads the secret. @throws {SettingsError} */
export function parseFireblocksSettings(text: string): FireblocksSettings {
  const {
    vaults,
    assets,
    ignoredVaults,
    counted = {},
    ...rest
  } = readSettings(settingsShape, text);
  return {
    ...rest,
    counted,
    ignoredVaults: new Set(ignoredVaults),
    vaults: new Map(Object.entries(vaults).map(([id, accounts]) => [id, byChain(id, accounts)])),
    assets: new Map(
      Object.entries(assets).map(([id, { asset, decimals }]) => [
        id,
        { decimals, asset: named(`assets.${id}.asset`, () => parseAsset(asset)) },
      ]),
    ),
  };
}

function byChain(id: string, texts: readonly string[]): ReadonlyMap<Caip.ChainId, Caip.AccountId> {
  const accounts = texts.map((text, at) => named(`vaults.${id}.${at}`, () => parseAccount(text)));
  const chains = new Map(accounts.map((account) => [Caip.chainOf(account), account]));
  if (chains.size < accounts.length) {
    throw new SettingsError({ problems: [`vaults.${id}: names two accounts on one chain`] });
  }
  return chains;
}

function named<T>(field: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'cannot be read';
    throw new SettingsError({ problems: [`${field}: ${why}`] });
  }
}
