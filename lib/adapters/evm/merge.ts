/** What several endpoints showed of one block, as one: the union counts, and what differs is a doubt. */

import type * as Block from '../../domain/block.ts';

/** A block as one endpoint showed it. */
export type Shown = { readonly endpoint: string; readonly block: Block.Block };

/** The union of what was shown, under the header that most endpoints have (the first one on a tie). */
export type Merged = { readonly block: Block.Block; readonly doubts: readonly Block.Doubt[] };

/**
 * Merges at least one view of the block at one height. An outflow that any endpoint showed is in the
 * result, also one from a block that the others do not have: the wallet signed it all the same.
 */
export function mergeBlocks(shown: readonly [Shown, ...Shown[]]): Merged {
  const { header } = headerOfMost(shown);
  const agreeing = shown.filter(({ block }) => block.header.hash === header.hash);
  const others = shown.filter(({ block }) => block.header.hash !== header.hash);
  const views = [...agreeing, ...others].map(({ block }) => block);
  const hashes = new Set(views.flatMap((view) => view.transactions.map(({ hash }) => hash)));
  const transactions = [...hashes].map((hash) =>
    mergeTransactions(
      views.flatMap((view) => view.transactions.filter((one) => one.hash === hash)),
    ),
  );
  const merged = transactions
    .filter((one) => one !== undefined)
    .sort((one, other) => one.index - other.index);
  return {
    block: {
      header,
      transactions: merged,
      unexplained: mergeUnexplained(agreeing, merged),
      ...mergeChanged(views),
    },
    doubts: [
      ...others.map(({ endpoint, block }) => forkDoubt({ endpoint, block }, header)),
      ...agreeing.flatMap((one) => missingDoubts(one, merged, others)),
    ],
  };
}

function headerOfMost(shown: readonly [Shown, ...Shown[]]): Block.Block {
  const votes = (one: Shown) =>
    shown.filter(({ block }) => block.header.hash === one.block.header.hash).length;
  return shown.reduce((best, one) => (votes(one) > votes(best) ? one : best)).block;
}

function mergeTransactions(views: readonly Block.Transaction[]): Block.Transaction | undefined {
  const [first] = views;
  if (!first) return undefined;
  const events = new Map(views.flatMap((view) => view.events).map((one) => [one.log, one]));
  const delegations = new Map(
    views.flatMap((view) => view.delegations).map((one) => [JSON.stringify(idOf(one)), one]),
  );
  return {
    ...first,
    // Succeeded in one view, reverted in another: what may have moved counts.
    isReverted: views.every((view) => view.isReverted),
    events: [...events.values()].sort((one, other) => one.log - other.log),
    delegations: [...delegations.values()],
    internal: mergeInternal(views.map((view) => view.internal)),
    calls: views.flatMap((view) => view.calls),
  };
}

/** Two of one nonce are two: only the first has an effect, whatever stands behind it in the list. */
function idOf({ account, delegate, nonce, isVoid }: Block.Delegation): readonly unknown[] {
  return [account, delegate, nonce.toString(), isVoid ?? false];
}

/**
 * Ways of tracing number calls differently, so the path does not tell whether two transfers are one:
 * of each sender, receiver and amount as many count as the endpoint with the most of them showed.
 */
function mergeInternal(views: readonly (readonly Block.Internal[])[]): readonly Block.Internal[] {
  const groups = new Map<string, readonly Block.Internal[]>();
  for (const view of views) {
    for (const [key, group] of Map.groupBy(view, keyOf)) {
      if (group.length > (groups.get(key)?.length ?? 0)) groups.set(key, group);
    }
  }
  return [...groups.values()].flat();
}

function keyOf(internal: Block.Internal): string {
  return `${internal.from}|${internal.to}|${internal.amount}`;
}

/** A change of control that any endpoint's state shows counts. */
function mergeChanged(views: readonly Block.Block[]): Pick<Block.Block, 'changed'> {
  const all = views.flatMap(({ changed }) => changed ?? []);
  const changed = new Map(all.map((one) => [`${one.account}|${one.change}|${one.about}`, one]));
  return changed.size > 0 ? { changed: [...changed.values()] } : {};
}

/** One endpoint's loss may be explained by what another one traced. */
function mergeUnexplained(
  agreeing: readonly Shown[],
  merged: readonly Block.Transaction[],
): readonly Block.Unexplained[] {
  const worst = new Map<string, Block.Unexplained>();
  for (const { block } of agreeing) {
    for (const loss of block.unexplained) {
      const { account } = loss;
      const known = sentBy(account, merged) - sentBy(account, block.transactions);
      const amount = loss.amount - known;
      if (amount > (worst.get(account)?.amount ?? 0n)) worst.set(account, { ...loss, amount });
    }
  }
  return [...worst.values()];
}

function sentBy(account: string, transactions: readonly Block.Transaction[]): bigint {
  return transactions
    .flatMap((one) => one.internal)
    .reduce((sum, { from, amount }) => (from === account ? sum + amount : sum), 0n);
}

function forkDoubt(one: Shown, header: Block.Header): Block.Doubt {
  const { number, hash } = one.block.header;
  const text = `${one.endpoint} has block ${number} as ${hash}, others as ${header.hash}`;
  return { kind: 'fork', endpoint: one.endpoint, text };
}

/** What other endpoints showed in the same block and this one did not. */
function missingDoubts(
  one: Shown,
  merged: readonly Block.Transaction[],
  others: readonly Shown[],
): readonly Block.Doubt[] {
  const elsewhere = new Set(others.flatMap(({ block }) => block.transactions.map((x) => x.hash)));
  const own = new Map(one.block.transactions.map((view) => [view.hash, view]));
  const lacking = merged.filter((whole) => {
    const view = own.get(whole.hash);
    if (!view) return !elsewhere.has(whole.hash);
    return view.events.length < whole.events.length && !elsewhere.has(whole.hash);
  });
  return lacking.map(({ hash }) => {
    const { number } = one.block.header;
    const text = `${one.endpoint} does not show all of transaction ${hash} in block ${number}`;
    return { kind: 'missing', endpoint: one.endpoint, text };
  });
}
