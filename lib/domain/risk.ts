/** What often comes before a theft and moves nothing itself: people are told, and a policy may act on it. */

import type * as Block from './block.ts';
import type { AccountId, AssetId } from './caip.ts';
import * as Money from './money.ts';
import * as Policy from './policy.ts';

/**
 * `approval`: by the wallet's word somebody may move a token. `permit`: the same, in somebody else's
 * transaction (a signed permit). `delegation`: the wallet's account runs somebody's code (EIP-7702).
 * `control`: owner, threshold, module or implementation of a contract wallet changed.
 * `strange`: a stranger brings what a wallet need not have said now, or at all: an alert at most.
 */
export type RiskKind = 'approval' | 'permit' | 'delegation' | 'control' | 'strange';

/** One fact that people should know. */
export type Risk = {
  /** The same fact has the same id. A contract that claims a thousand things is one fact. */
  readonly riskId: string;
  readonly kind: RiskKind;
  readonly account: AccountId;
  readonly transaction: string;
  /** The token of an approval or of a strange claim. */
  readonly asset?: AssetId;
  /** Who may move it, whose code runs, who became owner. */
  readonly about?: AccountId;
  /** One sentence. */
  readonly text: string;
};

const CHANGES: Readonly<Record<Block.Change, string>> = {
  'owner-added': 'got a new owner',
  'owner-removed': 'lost an owner',
  'owner-transferred': 'was handed to another owner',
  'threshold-changed': 'changed how many owners must sign',
  'module-enabled': 'let a module act for it',
  'module-disabled': 'no longer lets a module act for it',
  'guard-changed': 'changed its guard',
  'fallback-changed': 'changed its fallback handler',
  'implementation-changed': 'runs other code than before',
  'admin-changed': 'got another admin',
  'owners-changed': 'has other owners than before',
  'modules-changed': 'has other modules than before',
};

type Approval = Extract<Block.Event, { kind: 'approval' }>;

/** What the risks of a transaction are judged by besides. */
export type Known = {
  /** Whether a wallet itself called a contract in it. */
  readonly hasCalled: (call: { readonly from: AccountId; readonly to: AccountId }) => boolean;
  /** Whether this spender was given an allowance of this token before, of which people have heard. */
  readonly isAllowed: (given: Approval) => boolean;
};

/** The risks of one transaction to the policy's wallets. */
export function risksOf(
  policy: Policy.Policy,
  transaction: Block.Transaction,
  known: Known,
): readonly Risk[] {
  const delegated = transaction.delegations
    .filter(({ account }) => Policy.walletOf(policy, account))
    .map((one) => delegationRisk(policy, transaction, one));
  const events = transaction.events.flatMap((event): readonly Risk[] => {
    switch (event.kind) {
      case 'approval':
        return Policy.walletOf(policy, event.owner)
          ? approvalRisks(policy, transaction, { event, known })
          : [];
      case 'control':
        return controlRisk(policy, transaction, event);
      case 'malformed':
        return Policy.walletOf(policy, event.account)
          ? [malformedRisk(policy, transaction, event)]
          : [];
      case 'transfer':
        return [];
      default:
        return event satisfies never;
    }
  });
  return [...delegated, ...events];
}

/**
 * Whether the policy names this very token. A pattern that stands for many contracts
 * (`eip155:1/erc20:*`) prices what the wallet itself moves, and vouches for nobody's contract.
 */
export function isListed(policy: Policy.Policy, asset: AssetId): boolean {
  const rule = Policy.assetRule(policy, asset);
  return rule !== undefined && !rule.pattern.slice(rule.pattern.lastIndexOf(':')).includes('*');
}

/** A contract that the policy does not list says that a wallet sent its token, and the wallet did not. */
export function strange(
  policy: Policy.Policy,
  transaction: Block.Transaction,
  event: Extract<Block.Event, { kind: 'transfer' }>,
): Risk {
  const { asset, from } = event;
  return {
    riskId: `strange|${from}|${asset}`,
    kind: 'strange',
    account: from,
    transaction: transaction.hash,
    asset,
    text: `${asset}, which the policy does not list, claims to have left ${nameOf(policy, from)} in transaction ${transaction.hash}, which the wallet had no hand in; nothing is counted.`,
  };
}

/** Controls of contract wallets that changed in a block without a log that says so. */
export function changesOf(policy: Policy.Policy, block: Block.Block): readonly Risk[] {
  return (block.changed ?? []).flatMap(({ account, change, about }): readonly Risk[] => {
    if (!Policy.walletOf(policy, account)) return [];
    const { number, hash } = block.header;
    const whom = about === undefined ? '' : ` (${about})`;
    return [
      {
        riskId: ['control', hash, account, change, about ?? ''].join('|'),
        kind: 'control',
        account,
        transaction: hash,
        ...(about === undefined ? {} : { about }),
        text: `${nameOf(policy, account)} ${CHANGES[change]}${whom}, as its state at block ${number} shows; no log says so.`,
      },
    ];
  });
}

/** Nothing where an allowance is taken back, or where it is what is left of a known one. */
function approvalRisks(
  policy: Policy.Policy,
  transaction: Block.Transaction,
  given: { readonly event: Approval; readonly known: Known },
): readonly Risk[] {
  const { event, known } = given;
  if (event.amount === 0n) return [];
  const isOwnWord = known.hasCalled({ from: event.owner, to: event.contract });
  if (!isOwnWord && known.isAllowed(event) && isRest(transaction, event)) return [];
  return [approvalRisk(policy, transaction, { ...event, isOwnWord })];
}

/**
 * Many tokens log at each `transferFrom` what is left of the allowance. That the token moved in the
 * same transaction is for matching to judge.
 */
function isRest(transaction: Block.Transaction, { owner, asset, amount }: Approval): boolean {
  const isMove = (event: Block.Event) =>
    event.kind === 'transfer' && event.from === owner && event.asset === asset && event.amount > 0n;
  return amount !== 'everything' && transaction.events.some(isMove);
}

function approvalRisk(
  policy: Policy.Policy,
  transaction: Block.Transaction,
  given: Approval & { readonly isOwnWord: boolean },
): Risk {
  const { asset, owner, spender, amount, isOwnWord } = given;
  const kind = isOwnWord ? 'approval' : isListed(policy, asset) ? 'permit' : 'strange';
  const wallet = nameOf(policy, owner);
  const how = isOwnWord ? '' : ', by a signature that somebody else brought';
  const text =
    kind === 'strange'
      ? `${asset}, which the policy does not list, claims that ${wallet} lets ${spender} move it, in transaction ${transaction.hash}, which the wallet had no hand in.`
      : `${wallet} lets ${spender} move ${quantityOf(policy, asset, amount)}${how}, in transaction ${transaction.hash}.`;
  return {
    riskId:
      kind === 'strange' ? `strange|${owner}|${asset}` : `${kind}|${transaction.hash}|${given.log}`,
    kind,
    account: owner,
    transaction: transaction.hash,
    asset,
    about: spender,
    text,
  };
}

function delegationRisk(
  policy: Policy.Policy,
  transaction: Block.Transaction,
  { account, delegate, nonce, isVoid }: Block.Delegation,
): Risk {
  const wallet = nameOf(policy, account);
  if (isVoid) return voidRisk(policy, transaction, { account, delegate });
  const does = /:0x0+$/.test(delegate)
    ? 'ended its delegation'
    : `lets the code at ${delegate} act for its account (EIP-7702)`;
  return {
    riskId: `delegation|${account}|${nonce}|${delegate}`,
    kind: 'delegation',
    account,
    transaction: transaction.hash,
    about: delegate,
    text: `${wallet} ${does}, in transaction ${transaction.hash}.`,
  };
}

function voidRisk(
  policy: Policy.Policy,
  transaction: Block.Transaction,
  { account, delegate }: Pick<Block.Delegation, 'account' | 'delegate'>,
): Risk {
  return {
    riskId: `strange|${account}|${delegate}`,
    kind: 'strange',
    account,
    transaction: transaction.hash,
    about: delegate,
    text: `somebody brings a signature of ${nameOf(policy, account)} that would let the code at ${delegate} act for its account, in transaction ${transaction.hash}; it is meant for another chain or its nonce is used up, and it has no effect.`,
  };
}

function controlRisk(
  policy: Policy.Policy,
  transaction: Block.Transaction,
  event: Extract<Block.Event, { kind: 'control' }>,
): readonly Risk[] {
  const { account, change, about, log } = event;
  if (!Policy.walletOf(policy, account)) return [];
  const whom = about === undefined ? '' : ` (${about})`;
  return [
    {
      riskId: `control|${transaction.hash}|${log}`,
      kind: 'control',
      account,
      transaction: transaction.hash,
      ...(about === undefined ? {} : { about }),
      text: `${nameOf(policy, account)} ${CHANGES[change]}${whom}, in transaction ${transaction.hash}.`,
    },
  ];
}

function malformedRisk(
  policy: Policy.Policy,
  transaction: Block.Transaction,
  { contract, account }: Extract<Block.Event, { kind: 'malformed' }>,
): Risk {
  return {
    riskId: `strange|${account}|${contract}`,
    kind: 'strange',
    account,
    transaction: transaction.hash,
    about: contract,
    text: `${contract} says something of ${nameOf(policy, account)} that no token standard has, in transaction ${transaction.hash}.`,
  };
}

function nameOf(policy: Policy.Policy, account: AccountId): string {
  const wallet = Policy.walletOf(policy, account);
  return wallet ? `wallet ${wallet.name}` : account;
}

function quantityOf(policy: Policy.Policy, asset: AssetId, amount: bigint | 'everything'): string {
  if (amount === 'everything') return `everything that it has of ${asset}`;
  const rule = Policy.assetRule(policy, asset);
  return rule
    ? `${Money.formatUnits(amount, rule.decimals)} ${rule.symbol}`
    : `${amount} of ${asset}`;
}
