/**
 * Whether more or less known lets more pass. What is new is admitted, which was refused as unknown; what is
 * gone is refused, and nobody looks at it any more: a thief takes it unseen.
 */

import { chainOf } from './caip.ts';
import * as Change from './change.ts';
import { formatUnits } from './money.ts';
import * as Pattern from './pattern.ts';
import { overlaps } from './pattern-overlap.ts';
import type * as Policy from './policy.ts';
import { feedId, type Source } from './price.ts';

const { loosens, tightens, neutral } = Change;

const NAME = 'for people; it decides nothing';

const CHAIN: Change.Rules<Policy.ChainRule> = {
  pattern: 'key',
  name: { show: ({ name }) => name, judge: () => neutral(NAME) },
  watch: {
    show: ({ watch }) =>
      watch
        ? `${watch.confirmations} confirmations, blind after ${seconds(watch.blindAfterMs)}`
        : '',
    judge: ({ before, after }) => {
      if (!before.watch) return tightens('what leaves there is seen');
      if (!after.watch) return loosens('nobody looks at what leaves there');
      if (after.watch.confirmations > before.watch.confirmations)
        return loosens('what leaves is counted later');
      return after.watch.blindAfterMs > before.watch.blindAfterMs
        ? loosens('withdrawals go on for longer while nobody sees them')
        : tightens('what leaves is counted earlier, or blindness stops sooner');
    },
  },
  observed: {
    show: ({ observed }) => (observed ? 'true' : ''),
    judge: ({ after }) =>
      after.observed
        ? loosens('more of what was approved waits for its outflow')
        : loosens('nobody is told of what does not show'),
  },
};

/** The chains of a policy. */
export const CHAINS: Change.List<Policy.ChainRule> = {
  of: ({ chains }) => chains,
  name: ({ pattern }) => `chain ${pattern}`,
  rules: CHAIN,
  come: (rule, both) => comes('chain', { rule, rules: CHAIN, of: ({ chains }) => chains }, both),
  go: (rule, both) => {
    if (rule.watch || rule.observed) return loosens('nobody looks at what leaves there');
    return goes('chain', { rule, rules: CHAIN, of: ({ chains }) => chains }, both);
  },
};

const ASSET: Change.Rules<Policy.AssetRule> = {
  pattern: 'key',
  symbol: { show: ({ symbol }) => symbol, judge: () => neutral(NAME) },
  decimals: {
    show: ({ decimals }) => `${decimals}`,
    judge: ({ before, after }, both) => {
      const isShared = [both.before, both.after].some(({ assets }) =>
        assets.some(({ sameAs }) => sameAs === before.pattern),
      );
      if (after.decimals > before.decimals) return loosens('the same money looks smaller');
      return isShared
        ? loosens('what shares its budget counts less')
        : tightens('the same money looks larger');
    },
  },
  floorPricePicoUsd: {
    show: ({ floorPricePicoUsd: price }) =>
      price === undefined ? '' : `$${formatUnits(price, 12)}`,
    judge: ({ before, after }) => {
      const [was, is] = [before.floorPricePicoUsd, after.floorPricePicoUsd];
      if (was === undefined) return loosens('what had no price, or none at times, is known');
      if (is === undefined) return loosens('it can count nothing');
      return is > was
        ? tightens('the same money looks larger')
        : loosens('the same money looks smaller');
    },
  },
  sources: {
    show: ({ sources = [] }) => sources.map(sourceText).join(' and '),
    judge: ({ before, after }) => judgeSources(before, after),
  },
  sameAs: {
    show: ({ sameAs }) => sameAs ?? '',
    judge: () => loosens('it uses another budget'),
  },
};

/** The assets of a policy. */
export const ASSETS: Change.List<Policy.AssetRule> = {
  of: ({ assets }) => assets,
  name: ({ pattern }) => `asset ${pattern}`,
  rules: ASSET,
  come: (rule, both) => comes('asset', { rule, rules: ASSET, of: ({ assets }) => assets }, both),
  go: (rule, both) => {
    const [chain = ''] = rule.pattern.split('/');
    if (isSeen(both.before, chain))
      return loosens('a token that is not listed is seen only where the wallet signed for it');
    return goes('asset', { rule, rules: ASSET, of: ({ assets }) => assets }, both);
  },
};

const WALLET: Change.Rules<Policy.Wallet> = {
  name: 'key',
  keyDomain: {
    show: ({ keyDomain }) => keyDomain,
    judge: () => loosens('its money counts in another key domain'),
  },
  addresses: {
    show: ({ addresses }) => [...addresses].sort().join(' '),
    judge: ({ before, after }, both) => {
      const [was, is] = [new Set(before.addresses), new Set(after.addresses)];
      if ([...is].some((address) => !was.has(address))) return loosens('money may leave from more');
      const gone = [...was].filter((address) => !is.has(address));
      return gone.length === 0 ? neutral('another order') : unknownWallet(gone, both);
    },
  },
  admissionMs: {
    show: ({ admissionMs }) => (admissionMs === undefined ? '' : seconds(admissionMs)),
    judge: () => loosens('longer: more leaves after a trip; shorter: windows reach back less'),
  },
  floors: {
    show: ({ floors = [] }) =>
      floors.map(({ asset, amount }) => `${amount} of ${asset}`).join(' and '),
    judge: ({ before, after }) => {
      const told = new Map((after.floors ?? []).map(({ asset, amount }) => [asset, amount]));
      return (before.floors ?? []).every(({ asset, amount }) => (told.get(asset) ?? 0n) >= amount)
        ? tightens('people hear of it earlier')
        : loosens('people hear of it later, or not at all');
    },
  },
  canary: {
    show: ({ canary }) => (canary ? 'true' : ''),
    judge: ({ after }) =>
      after.canary
        ? loosens('a made-up outflow of it stops it alone, and a drill may reset it')
        : loosens('drills trip nothing: nobody sees in time that a pause does not work'),
  },
};

/** The wallets of a policy. */
export const WALLETS: Change.List<Policy.Wallet> = {
  of: ({ wallets }) => wallets,
  name: ({ name }) => `wallet ${name}`,
  rules: WALLET,
  come: () => loosens('money may leave from it, and it has its own budget'),
  go: ({ addresses }, both) => unknownWallet(addresses, both),
};

/** The order of patterns that are equally long: of two that fit, the earlier one counts. */
export function order(
  what: 'chains' | 'assets',
  of: (policy: Policy.Policy) => readonly { readonly pattern: string }[],
  both: Change.Both,
): readonly Change.Change[] {
  const patterns = (policy: Policy.Policy) =>
    of(policy).flatMap(({ pattern }) => (pattern.includes('*') ? [pattern] : []));
  const [before, after] = [patterns(both.before), patterns(both.after)];
  const swapped = before.find((one, at) =>
    before.slice(at + 1).some((other) => {
      const isTurned =
        after.includes(one) &&
        after.indexOf(other) >= 0 &&
        after.indexOf(other) < after.indexOf(one);
      return isTurned && one.length === other.length && overlaps(one, other);
    }),
  );
  if (swapped === undefined) return [];
  const why = 'of two patterns that are equally long the earlier one counts';
  return [{ what, field: 'order', before: swapped, after: 'later', ...loosens(why) }];
}

type Known<Rule extends object> = {
  readonly rule: Rule & { readonly pattern: string };
  readonly rules: Change.Rules<Rule>;
  readonly of: (policy: Policy.Policy) => readonly (Rule & { readonly pattern: string })[];
};

/** Something that is named: it was unknown, or another rule spoke of it. */
function comes<Rule extends object>(
  what: string,
  { rule, rules, of }: Known<Rule>,
  both: Change.Both,
): Change.Verdict {
  const was = Pattern.mostSpecific(of(both.before), rule.pattern);
  if (!was || rule.pattern.includes('*'))
    return loosens(`the ${what} was unknown and is known now`);
  const changes = Change.fields(what, rules, { before: was, after: rule, both });
  return Change.worst(changes, neutral(`${was.pattern} said the same`));
}

/** Something that is not named any more: it is unknown, or another rule speaks of it. */
function goes<Rule extends object>(
  what: 'chain' | 'asset',
  { rule, rules, of }: Known<Rule>,
  both: Change.Both,
): Change.Verdict {
  const left = of(both.after);
  if (!rule.pattern.includes('*')) {
    const is = Pattern.mostSpecific(left, rule.pattern);
    if (!is) return unknown(what, both);
    const changes = Change.fields(what, rules, { before: rule, after: is, both });
    return Change.worst(changes, neutral(`${is.pattern} says the same`));
  }
  return left.some(({ pattern }) => overlaps(pattern, rule.pattern))
    ? loosens('another rule speaks of some of it')
    : unknown(what, both);
}

/** What becomes unknown: no looser only where what is unknown is stopped on both sides. */
function unknown(what: Policy.Unknown, { after }: Change.Both): Change.Verdict {
  const { withdrawal, outflow } = after.unknown[what];
  return withdrawal !== 'allow' && outflow === 'pause'
    ? tightens(`it is unknown: unknown.${what} stops it`)
    : loosens(`it is unknown: unknown.${what} lets it pass`);
}

function unknownWallet(addresses: readonly string[], both: Change.Both): Change.Verdict {
  return addresses.some((address) =>
    isSeen(both.before, chainOf(address as Policy.Wallet['addresses'][number])),
  )
    ? loosens('nobody looks at what leaves from it')
    : unknown('wallet', both);
}

/** Whether somebody looks at a chain, or at one that a pattern means. */
function isSeen({ chains }: Policy.Policy, chain: string): boolean {
  return chains.some(
    ({ pattern, watch, observed }) => (watch || observed) && overlaps(pattern, chain),
  );
}

function judgeSources(before: Policy.AssetRule, after: Policy.AssetRule): Change.Verdict {
  const was = new Map((before.sources ?? []).map((source) => [feedId(source.feed), source]));
  const is = new Map((after.sources ?? []).map((source) => [feedId(source.feed), source]));
  if ([...was.keys()].some((feed) => !is.has(feed)))
    return loosens('a feed that raised values is gone');
  const hasFloor = [before, after].every(
    ({ floorPricePicoUsd }) => floorPricePicoUsd !== undefined,
  );
  const pairs = [...is].map(([feed, source]) => ({ before: was.get(feed), after: source }));
  const verdicts = pairs.flatMap((pair) => judgeSource(pair, hasFloor));
  return Change.worst(verdicts, neutral('another order'));
}

/** The highest of floor and feeds counts, so with a floor a feed only raises a value. */
function judgeSource(
  { before, after }: { readonly before: Source | undefined; readonly after: Source },
  hasFloor: boolean,
): readonly Change.Verdict[] {
  const more = hasFloor
    ? tightens('a feed only raises a value')
    : loosens('what had no price, or none at times, is known');
  if (!before) return [more];
  return [
    ...(after.maxAgeMs > before.maxAgeMs ? [loosens('people hear of an old price later')] : []),
    ...(after.maxAgeMs < before.maxAgeMs ? [tightens('people hear of an old price earlier')] : []),
    ...(after.keepMs > before.keepMs ? [more] : []),
    ...(after.keepMs < before.keepMs
      ? [loosens('a price that raised a value is given up earlier')]
      : []),
  ];
}

function sourceText({ feed, maxAgeMs, keepMs }: Source): string {
  return `${feedId(feed)} maxAge ${seconds(maxAgeMs)} keep ${seconds(keepMs)}`;
}

function seconds(spanMs: number): string {
  return `${spanMs / 1_000}s`;
}
