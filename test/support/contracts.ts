/** The contracts of the chain tests, compiled with solc when they are first asked for. */

import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Abi, Hex } from 'viem';

/** What it takes to deploy and call one contract. */
export type Contract = { readonly abi: Abi; readonly bytecode: Hex };

/** The contracts in `test/support/contracts`, by name. */
export type Contracts = Readonly<Record<ContractName, Contract>>;

type ContractName = (typeof NAMES)[number];

type Compiled = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<
    Record<
      string,
      Readonly<Record<string, { abi: Abi; evm: { bytecode: { readonly object: string } } }>>
    >
  >;
};

const NAMES = [
  'Token',
  'FeeToken',
  'FakeToken',
  'LoudToken',
  'Collectible',
  'Items',
  'ContractWallet',
  'WalletProxy',
  'WalletSingleton',
  'WalletThief',
  'Disperse',
  'Delegate',
  'Reverter',
  'Feed',
] as const;
const FOLDER = join(import.meta.dirname, 'contracts');
const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'breakwater');

/**
 * The compiled contracts. solc takes seconds, so what it made is kept under `node_modules/.cache` by
 * the hash of the sources and of the compiler's version; two processes that compile at once write
 * the same bytes, and each puts them in place with one rename.
 */
export async function loadContracts(): Promise<Contracts> {
  const files = globSync('*.sol', { cwd: FOLDER }).sort();
  const sources = await Promise.all(
    files.map(async (file) => ({ file, content: await readFile(join(FOLDER, file), 'utf8') })),
  );
  const version = await readFile(
    join(import.meta.dirname, '..', '..', 'node_modules', 'solc', 'package.json'),
    'utf8',
  );
  const hash = createHash('sha256').update(JSON.stringify({ sources, version })).digest('hex');
  const cached = join(CACHE, `contracts-${hash.slice(0, 16)}.json`);
  try {
    return JSON.parse(await readFile(cached, 'utf8')) as Contracts;
  } catch {
    const contracts = await compile(sources);
    await mkdir(CACHE, { recursive: true });
    const fresh = `${cached}.${process.pid}`;
    await writeFile(fresh, JSON.stringify(contracts));
    await rename(fresh, cached);
    return contracts;
  }
}

async function compile(
  sources: readonly { readonly file: string; readonly content: string }[],
): Promise<Contracts> {
  // Loaded only where it is needed: the compiler is 9 MB of JavaScript.
  const { default: solc } = await import('solc');
  const output: Compiled = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: 'Solidity',
        sources: Object.fromEntries(sources.map(({ file, content }) => [file, { content }])),
        settings: {
          optimizer: { enabled: true, runs: 200 },
          outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
        },
      }),
    ),
  );
  const errors = output.errors?.filter(({ severity }) => severity === 'error') ?? [];
  if (errors.length > 0) throw new Error(errors.map((one) => one.formattedMessage).join('\n'));
  const found = Object.values(output.contracts).flatMap((file) => Object.entries(file));
  return Object.fromEntries(
    NAMES.map((name) => {
      const contract = found.find(([found]) => found === name)?.[1];
      if (!contract) throw new Error(`no source in ${basename(FOLDER)} defines ${name}`);
      return [name, { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` as Hex }];
    }),
  ) as Contracts;
}
