/**
 * What a chain showed about the wallets that are watched, block by block: facts, before any policy
 * says what they mean. Identifiers are CAIP, amounts base units.
 */

import type { AccountId, AssetId } from './caip.ts';

/** Where a block stands in its chain. Hashes are lower-case hex. */
export type Header = {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** The block's own time, by its producer's clock. */
  readonly timestampMs: number;
};

/** One block, as far as it concerns watched wallets. */
export type Block = {
  readonly header: Header;
  /** In the order of the block, without those that concern no watched wallet. */
  readonly transactions: readonly Transaction[];
  /** Native coins that left a wallet and that no transaction explains. */
  readonly unexplained: readonly Unexplained[];
  /** What the state of contract wallets says of their control, and no log. Absent where nothing changed. */
  readonly changed?: readonly Changed[];
};

/** One transaction. What it moved is in `events` and `internal`, and in `value` if it succeeded. */
export type Transaction = {
  /** Lower-case hex. */
  readonly hash: string;
  /** Place in the block, from 0. */
  readonly index: number;
  /** Who signed it and paid for it. */
  readonly from: AccountId;
  readonly nonce: number;
  /** Absent where it created a contract. */
  readonly to?: AccountId;
  /** The contract that it created. */
  readonly created?: AccountId;
  readonly native: AssetId;
  readonly value: bigint;
  /** The first four bytes of its input, lower-case hex; absent where it has fewer. */
  readonly selector?: string;
  /** `0x2`, `0x4`, …: EIP-2718. */
  readonly type: string;
  /** A transaction that was reverted moved nothing, and its sender paid for it all the same. */
  readonly isReverted: boolean;
  /** What the sender paid to the network, in the native coin. */
  readonly fee: bigint;
  /** Delegations that watched wallets signed and this transaction carried (EIP-7702). */
  readonly delegations: readonly Delegation[];
  /** Logs that concern watched wallets, in their order. */
  readonly events: readonly Event[];
  /** Native coins that contracts sent from watched wallets. */
  readonly internal: readonly Internal[];
  /** Calls that the own code of watched wallets made in it. Known only where the node traces. */
  readonly calls: readonly { readonly from: AccountId; readonly to: AccountId }[];
};

/** A wallet's word that its account shall run somebody's code (EIP-7702). It needs no transaction of its own. */
export type Delegation = {
  readonly account: AccountId;
  /** The code. The zero address ends a delegation. */
  readonly delegate: AccountId;
  /** The nonce of the wallet that it uses up. */
  readonly nonce: bigint;
  /**
   * It has no effect: it is meant for another chain, or its nonce was used up before. Anybody can
   * bring one that the wallet signed long ago, or elsewhere.
   */
  readonly isVoid?: true;
};

/** Token standards: ERC-20, ERC-721 (amount 1), ERC-1155 (amount: the sum over all ids of one log). */
export type Standard = 'erc20' | 'erc721' | 'erc1155';

/** One log. `log` is its index within its transaction: it stays when a reorg moves the transaction. */
export type Event =
  | {
      readonly kind: 'transfer';
      readonly log: number;
      readonly standard: Standard;
      readonly asset: AssetId;
      readonly from: AccountId;
      readonly to: AccountId;
      readonly amount: bigint;
      /** Empty for ERC-20. */
      readonly tokenIds: readonly bigint[];
    }
  | {
      readonly kind: 'approval';
      readonly log: number;
      readonly asset: AssetId;
      /** The contract that says so: the token, or Permit2. */
      readonly contract: AccountId;
      readonly owner: AccountId;
      readonly spender: AccountId;
      /** 0 takes an approval back; `everything`: all tokens of the contract, now and later. */
      readonly amount: bigint | 'everything';
    }
  | {
      readonly kind: 'control';
      readonly log: number;
      /** The contract wallet that said so. */
      readonly account: AccountId;
      readonly change: Change;
      /** The owner, module or implementation that it is about. */
      readonly about?: AccountId;
    }
  /** A log with a known signature and a content that the standard does not have. */
  | {
      readonly kind: 'malformed';
      readonly log: number;
      readonly contract: AccountId;
      readonly account: AccountId;
    };

/** How the control of a contract wallet changed. */
export type Change =
  | 'owner-added'
  | 'owner-removed'
  | 'owner-transferred'
  | 'threshold-changed'
  | 'module-enabled'
  | 'module-disabled'
  | 'guard-changed'
  | 'fallback-changed'
  | 'implementation-changed'
  | 'admin-changed'
  | 'owners-changed'
  | 'modules-changed';

/** The control of a contract wallet is another one than before, by its own state. */
export type Changed = {
  readonly account: AccountId;
  readonly change: Change;
  /** The owner, admin or implementation that it has now. */
  readonly about?: AccountId;
};

/** Native coins sent from within a transaction. `path` is the place in its tree of calls: `0.2.1`. */
export type Internal = {
  readonly path: string;
  readonly from: AccountId;
  readonly to: AccountId;
  readonly amount: bigint;
};

/** What a wallet has less at the end of a block than what is known to have come and gone explains. */
export type Unexplained = {
  readonly account: AccountId;
  readonly native: AssetId;
  readonly amount: bigint;
};

/** A transaction from a watched wallet that waits to be mined. */
export type Pending = Pick<
  Transaction,
  'hash' | 'from' | 'nonce' | 'to' | 'native' | 'value' | 'selector' | 'type'
> & {
  /** What its input asks an ERC-20 to move. */
  readonly token?: {
    readonly asset: AssetId;
    readonly to: AccountId;
    readonly amount: bigint;
  };
};

/**
 * Why what was read may not be all. None of these stops reading; people are told.
 * `down`: an endpoint did not answer. `lag`: its newest block is too old. `fork`: endpoints have
 * different blocks at one height. `missing`: an endpoint did not show what another, or its own other
 * answers, showed. `unverified`: the node does not offer what would prove that nothing is missing.
 */
export type DoubtKind = 'down' | 'lag' | 'fork' | 'missing' | 'unverified';

/** One doubt, with the name of the endpoint that it is about; never its URL, which may hold a key. */
export type Doubt = {
  readonly kind: DoubtKind;
  readonly endpoint: string;
  readonly text: string;
};
