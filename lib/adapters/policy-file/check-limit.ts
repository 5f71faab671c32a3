/** What a limit may say, given its scope, its metric and the rest of the policy. */

import * as Pattern from '../../domain/pattern.ts';
import { overlaps } from '../../domain/pattern-overlap.ts';
import type * as Scope from '../../domain/scope.ts';
import { readAllowed } from './allowed.ts';
import { checkWindow } from './check-window.ts';
import { type Finding, oneOf, quoted } from './problem.ts';
import type { Limit } from './schema.ts';
import type { Entry, Sections } from './shape.ts';

type Where = NonNullable<Limit['where']>;
type Field = keyof Where;

/** What is wrong in one limit, by field. */
type Wrong = { readonly field: readonly string[]; readonly message: string };

/**
 * The fields that a scope fixes. By any other field a limit would be judged for some of what its
 * meter has counted, and passed by the rest. (The chain of an asset is in its id.)
 */
const FIXED: Readonly<Record<Scope.Kind, readonly Field[]>> = {
  actor: ['actor'],
  destination: ['destination'],
  'wallet-asset': ['wallet', 'keyDomain', 'asset'],
  wallet: ['wallet', 'keyDomain'],
  asset: ['asset'],
  chain: ['chain'],
  'key-domain': ['keyDomain'],
  global: [],
};

const ONE_ASSET: readonly Scope.Kind[] = ['asset', 'wallet-asset'];

/** Everything that is wrong with a limit whose fields have the right shape. */
export function checkLimit(sections: Sections, entry: Entry<Limit>): readonly Finding[] {
  const limit = entry.value;
  const wrong = [
    ...checkSpan(sections, limit),
    ...checkMetric(sections, limit),
    ...checkSize(sections, limit),
    ...checkAction(limit),
    ...checkFields(sections, limit),
  ];
  return wrong.map(({ field, message }) => ({ path: [...entry.path, ...field], message }));
}

function checkSpan(sections: Sections, limit: Limit): readonly Wrong[] {
  const message = checkWindow(sections, limit);
  return message === undefined ? [] : [{ field: ['window'], message }];
}

function checkMetric(sections: Sections, limit: Limit): readonly Wrong[] {
  const { metric, scope, where = {} } = limit;
  const oneAsset = ONE_ASSET.includes(scope);
  if (metric === 'assets' && oneAsset) {
    return [
      {
        field: ['metric'],
        message: `assets counts distinct assets, and ${scope} holds one; use another scope`,
      },
    ];
  }
  if (metric === 'share' && scope !== 'wallet-asset') {
    const message =
      'share is a share of what one wallet holds of one asset; use scope wallet-asset';
    return [{ field: ['metric'], message }];
  }
  if (metric !== 'amount') return [];
  if (!oneAsset) {
    return [
      {
        field: ['metric'],
        message: `amount needs one unit; use scope ${oneOf(ONE_ASSET)}, or metric notional`,
      },
    ];
  }
  const { asset } = where;
  if (
    asset !== undefined &&
    sections.assets.entries.some(({ value }) => value.id === asset && !asset.includes('*'))
  ) {
    return [];
  }
  if (asset !== undefined && !sections.assets.complete) return [];
  const message = 'must name one asset exactly as listed in assets, since amount counts its tokens';
  return [{ field: ['where', 'asset'], message }];
}

function checkSize(sections: Sections, limit: Limit): readonly Wrong[] {
  const allowed = readAllowed(
    limit,
    sections.assets.entries.map(({ value }) => value),
  );
  if (allowed.kind === 'refused') return [{ field: ['limit'], message: allowed.why }];
  if (allowed.kind === 'unlimited' && limit.warn !== undefined) {
    return [
      { field: ['warn'], message: 'is a share of the limit, and this one is unlimited; remove it' },
    ];
  }
  return [];
}

function checkAction(limit: Limit): readonly Wrong[] {
  const { action, scope, tripOnRefusal } = limit;
  if (tripOnRefusal === 'true' && (action === 'hold' || action === 'alert')) {
    const message = `action ${action} opens no breaker; use action pause, or remove it`;
    return [{ field: ['tripOnRefusal'], message }];
  }
  const one = scope === 'actor' || scope === 'destination';
  if (!one || typeof action === 'string' || action.pause !== 'global') return [];
  const message = `one ${scope} must not stop everybody; use a narrower scope, such as ${scope} or wallet`;
  return [{ field: ['action', 'pause'], message }];
}

function checkFields(sections: Sections, limit: Limit): readonly Wrong[] {
  const { scope, where = {} } = limit;
  const fixed = FIXED[scope];
  const given = (Object.keys(where) as Field[]).filter((field) => where[field] !== undefined);
  const loose = given.filter((field) => !fixed.includes(field));
  if (loose.length > 0) {
    const use = fixed.length === 0 ? 'it takes no where' : `use ${oneOf(fixed)}`;
    return loose.map((field) => ({
      field: ['where', field],
      message: `scope ${scope} does not fix the ${field}, so the limit would miss some of what it counted; ${use}`,
    }));
  }
  const lost = given.filter((field) => !isKnown(sections, field, where[field] ?? ''));
  if (lost.length > 0) return lost.map((field) => unmatched(sections, field, where));
  const { wallet, keyDomain } = where;
  if (wallet === undefined || keyDomain === undefined || !sections.wallets.complete) return [];
  const both = sections.wallets.entries.some(
    ({ value }) =>
      Pattern.matches(wallet, value.name) && Pattern.matches(keyDomain, value.keyDomain),
  );
  const message = `no wallet is called ${quoted(wallet)} and lies in key domain ${quoted(keyDomain)}`;
  return both ? [] : [{ field: ['where'], message }];
}

/** Whether something in the policy matches. Customers and destinations are not listed there. */
function isKnown(sections: Sections, field: Field, pattern: string): boolean {
  const { wallets, assets, chains } = sections;
  switch (field) {
    case 'wallet':
      return (
        !wallets.complete ||
        wallets.entries.some(({ value }) => Pattern.matches(pattern, value.name))
      );
    case 'keyDomain':
      return (
        !wallets.complete ||
        wallets.entries.some(({ value }) => Pattern.matches(pattern, value.keyDomain))
      );
    case 'chain':
      return !chains.complete || chains.entries.some(({ value }) => overlaps(pattern, value.id));
    case 'asset':
      return (
        !assets.complete ||
        assets.entries.some(
          ({ value }) => value.sameAs === undefined && overlaps(pattern, value.id),
        )
      );
    case 'destination':
    case 'actor':
      return true;
    default:
      return field satisfies never;
  }
}

function unmatched(sections: Sections, field: Field, where: Where): Wrong {
  const pattern = where[field] ?? '';
  const twin = sections.assets.entries.find(({ value }) => value.id === pattern)?.value.sameAs;
  const message =
    field === 'asset' && twin !== undefined
      ? `${quoted(pattern)} shares the budget of another asset; use ${quoted(twin)}`
      : `${quoted(pattern)} matches nothing in this policy`;
  return { field: ['where', field], message };
}
