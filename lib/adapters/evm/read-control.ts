/**
 * Who controls a contract wallet, by its state: code that it runs by a delegate call can change owners
 * or implementation without a log (so were $1.5 billion taken from a Safe of Bybit in 2025).
 */

import type * as Block from '../../domain/block.ts';
import { wordsOf } from './decode-log.ts';
import { toHex } from './read-logs.ts';
import { RefusedError, type Rpc } from './rpc.ts';
import { accountAt, addressIn, type Watch } from './watch.ts';
import { type Hex, readHex } from './wire.ts';

/** What is asked of a wallet. The same change is asked about in more than one way where wallets differ. */
type Question = {
  readonly change: Block.Change;
  /** What a log would have said that tells of the same. */
  readonly logged: readonly Block.Change[];
} & ({ readonly call: Hex } | { readonly slot: Hex });

const WORD_LENGTH = 2 + 64;
/** A word that may be an address; lengths, offsets and thresholds are small. */
const ADDRESS = /^0x0{24}(?!0{24})[0-9a-f]{40}$/;
const IMPLEMENTATION = {
  change: 'implementation-changed',
  logged: ['implementation-changed'],
} as const;
const OWNERS = {
  change: 'owners-changed',
  logged: ['owner-added', 'owner-removed', 'owner-transferred'],
} as const;

/** Selectors and slots; `test/adapters/evm/read-control.test.ts` derives each from its name. */
export const QUESTIONS: readonly Question[] = [
  // masterCopy(): the proxy of a Safe answers it by itself, whatever its implementation says.
  { ...IMPLEMENTATION, call: '0xa619486e' },
  // The implementation's slot of ERC-1967.
  {
    ...IMPLEMENTATION,
    slot: '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc',
  },
  // The admin's slot of ERC-1967.
  {
    change: 'admin-changed',
    logged: ['admin-changed'],
    slot: '0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103',
  },
  // getOwners() of a Safe, owner() of ERC-173.
  { ...OWNERS, call: '0xa0e67e2b' },
  { ...OWNERS, call: '0x8da5cb5b' },
  // getThreshold() of a Safe.
  { change: 'threshold-changed', logged: ['threshold-changed'], call: '0xe75235b8' },
  // getModulesPaginated(address(1), 100) of a Safe.
  {
    change: 'modules-changed',
    logged: ['module-enabled', 'module-disabled'],
    call: `0xcc2f8452${'1'.padStart(64, '0')}${'64'.padStart(64, '0')}`,
  },
];

/**
 * What changed between two blocks and no log in between tells. `logged` are the changes that logs told of a wallet.
 * Nothing where the node does not keep that state, or the wallet answers a question at one of them only.
 *
 * @throws {UnreachableError}
 */
export async function readChanged(
  rpc: Rpc,
  scope: Watch,
  asked: {
    readonly addresses: readonly Hex[];
    readonly before: number;
    readonly after: number;
    readonly logged: readonly Extract<Block.Event, { kind: 'control' }>[];
  },
): Promise<readonly Block.Changed[]> {
  const { addresses, before, after, logged } = asked;
  const found = await Promise.all(
    addresses.flatMap((address) =>
      QUESTIONS.map(async (question): Promise<readonly Block.Changed[]> => {
        const [was, is] = await Promise.all([
          answer(rpc, question, { address, number: before }),
          answer(rpc, question, { address, number: after }),
        ]);
        if (was === undefined || is === undefined || was === is) return [];
        const account = accountAt(scope, address);
        const { change } = question;
        const named = differing(was, is).map((word) => accountAt(scope, addressIn(word)));
        const all: readonly Block.Changed[] =
          named.length === 0
            ? [{ account, change }]
            : named.map((about) => ({ account, change, about }));
        return all.filter((one) => !isLogged(logged, one, question.logged));
      }),
    ),
  );
  const all = found.flat();
  return [
    ...new Map(all.map((one) => [`${one.account}|${one.change}|${one.about}`, one])).values(),
  ];
}

/** The address that is there now; of lists those that came and those that went. */
function differing(was: Hex, is: Hex): readonly Hex[] {
  const [before, after] = [wordsOf(was), wordsOf(is)];
  const came = after.filter((word) => !before.includes(word));
  const went = after.length > 1 ? before.filter((word) => !after.includes(word)) : [];
  return [...came, ...went].filter((word) => ADDRESS.test(word));
}

/**
 * Only a log that names whom the state names tells of this change: code that a wallet runs by a delegate
 * call can log in its name what it likes.
 */
function isLogged(
  logged: readonly Extract<Block.Event, { kind: 'control' }>[],
  { account, about }: Block.Changed,
  changes: readonly Block.Change[],
): boolean {
  return logged.some(
    (event) => event.account === account && changes.includes(event.change) && event.about === about,
  );
}

async function answer(
  rpc: Rpc,
  question: Question,
  at: { readonly address: Hex; readonly number: number },
): Promise<Hex | undefined> {
  const { address } = at;
  const block = toHex(at.number);
  const asked = { name: rpc.name, what: 'control' };
  try {
    if ('slot' in question) {
      const word = await rpc.call('eth_getStorageAt', address, question.slot, block);
      return readHex(word, asked);
    }
    const said = await rpc.call('eth_call', { to: address, data: question.call }, block);
    const hex = readHex(said, asked);
    return hex.length < WORD_LENGTH ? undefined : hex;
  } catch (error) {
    // It has no such function, or the node does not keep that state.
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
