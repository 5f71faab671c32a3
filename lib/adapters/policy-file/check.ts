/**
 * What only shows between the entries of a policy file: the same thing given twice, one that refers
 * to another which is not there. Limits have a file of their own, `check-limit.ts`.
 */

import { chainOf } from '../../domain/caip.ts';
import { overlaps } from '../../domain/pattern-overlap.ts';
import { checkCanary } from './check-canary.ts';
import { checkFloors } from './check-floors.ts';
import { checkLimit } from './check-limit.ts';
import { checkPeople } from './check-people.ts';
import { type Finding, type Path, pathText, quoted } from './problem.ts';
import type * as Schema from './schema.ts';
import type { Entry, Sections } from './shape.ts';

/** Everything that is wrong between entries. Entries of the wrong shape are not here any more. */
export function checkSections(sections: Sections): readonly Finding[] {
  const { chains, assets, wallets, limits } = sections;
  return [
    ...twice(chains.entries.map((entry) => at(entry, 'id', entry.value.id))),
    ...twice(assets.entries.map((entry) => at(entry, 'id', entry.value.id))),
    ...twice(wallets.entries.map((entry) => at(entry, 'name', entry.value.name))),
    ...twice(wallets.entries.flatMap(addresses)),
    ...twice(limits.entries.map((entry) => at(entry, 'id', entry.value.id))),
    ...unknownChains(sections),
    ...assets.entries.flatMap((entry) => checkSameAs(sections, entry)),
    ...assets.entries.flatMap(checkPrice),
    ...wallets.entries.flatMap((entry) => checkFloors(sections, entry)),
    ...checkCanary(wallets.entries),
    ...limits.entries.flatMap((entry) => checkLimit(sections, entry)),
    ...twice(sections.operators.entries.map((entry) => at(entry, 'name', entry.value.name))),
    ...twice(sections.operators.entries.map((entry) => at(entry, 'address', entry.value.address))),
    ...checkPeople(sections),
  ];
}

type Placed = { readonly path: Path; readonly text: string };

function at(entry: Entry<unknown>, field: string, text: string): Placed {
  return { path: [...entry.path, field], text };
}

function addresses(entry: Entry<Schema.Wallet>): readonly Placed[] {
  return entry.value.addresses.map((text, position) => ({
    path: [...entry.path, 'addresses', position],
    text,
  }));
}

function twice(all: readonly Placed[]): readonly Finding[] {
  const first = new Map<string, Path>();
  return all.flatMap(({ path, text }) => {
    const earlier = first.get(text);
    if (!earlier) first.set(text, path);
    return earlier
      ? [{ path, message: `${quoted(text)} is given twice; first in ${pathText(earlier)}` }]
      : [];
  });
}

/** Money on a chain that no entry covers counts as unknown: a wallet or an asset there is a mistake. */
function unknownChains(sections: Sections): readonly Finding[] {
  const { chains, assets, wallets } = sections;
  if (!chains.complete) return [];
  const ofAssets = assets.entries.flatMap((entry) => {
    const [chain = '', asset] = entry.value.id.split('/');
    return asset === undefined ? [] : [at(entry, 'id', chain)];
  });
  const ofWallets = wallets.entries.flatMap(addresses).map(({ path, text }) => ({
    path,
    text: chainOf(text as Schema.Wallet['addresses'][number]),
  }));
  return [...ofAssets, ...ofWallets].flatMap(({ path, text }) =>
    chains.entries.some(({ value }) => overlaps(value.id, text))
      ? []
      : [
          {
            path,
            message: `lies on ${quoted(text)}, which no entry of chains covers; add it there`,
          },
        ],
  );
}

/** One budget for one money: it belongs to one asset that is listed itself. Decimals may differ. */
function checkSameAs(sections: Sections, entry: Entry<Schema.Asset>): readonly Finding[] {
  const { assets } = sections;
  const { id, sameAs } = entry.value;
  if (sameAs === undefined) return [];
  const found = (message: string) => [{ path: [...entry.path, 'sameAs'], message }];
  const target = assets.entries.find(({ value }) => value.id === sameAs)?.value;
  if (id === sameAs) return found('names the asset itself; leave it out');
  if (!target) {
    return assets.complete
      ? found(`${quoted(sameAs)} is not listed in assets under exactly this id; add it`)
      : [];
  }
  return target.sameAs === undefined
    ? []
    : found(`${quoted(sameAs)} is itself the same as another; use ${quoted(target.sameAs)}`);
}

/** One feed says what one asset is worth. */
function checkPrice(entry: Entry<Schema.Asset>): readonly Finding[] {
  const { id, price } = entry.value;
  if (!price) return [];
  const found = (message: string) => [{ path: [...entry.path, 'price'], message }];
  if (id.includes('*')) return found('speaks for one asset, and this is a pattern; list the asset');
  return price.chainlink || price.http ? [] : found('names no source; add chainlink or http');
}
