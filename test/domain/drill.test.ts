import { describe, expect, test } from 'vitest';
import * as Breaker from '../../lib/domain/breaker.ts';
import * as Canary from '../../lib/domain/canary.ts';
import * as Decision from '../../lib/domain/decision.ts';
import * as Draft from '../../lib/domain/draft.ts';
import * as Drill from '../../lib/domain/drill.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type { Policy } from '../../lib/domain/policy.ts';
import * as Build from '../support/builders.ts';

const ADDRESS = `${Build.CHAIN}:0x00000000000000000000000000000000000000ca` as const;
const base = Build.policy();
const policy: Policy = {
  ...base,
  wallets: [
    ...base.wallets,
    { name: 'canary', keyDomain: 'canary', addresses: [ADDRESS as never], canary: true },
  ],
  unmatched: { scope: 'global', risks: 'pause' },
};

/** Decides on an outflow of the canary, a drill's unless told otherwise. */
function trip(
  transaction: string,
  on: Policy = policy,
  items: readonly (readonly [string, Ledger.Item])[] = [],
) {
  const canary = Canary.canaryOf(policy);
  const made = canary && Canary.outflowOf(policy, canary, 'one');
  if (!made) throw new Error('there is no canary');
  const { wallet: account, asset, destination } = made;
  const transfer = Build.transfer({ account, asset, destination, amount: 1n });
  const event = { ...Build.outflow({ transaction, place: 'top' }), transfer };
  const context = Build.context({ policy: on });
  const incoming = { kind: 'transfer', event, bodyHash: 'h', lagMs: 0 } as const;
  return Decision.decide(context, { rows: new Map(), items: new Map(items) }, [incoming]);
}

function resetOf(
  changes: Ledger.Changes,
  more: {
    readonly on?: Policy;
    readonly incident?: Breaker.Incident;
    readonly causes?: number;
  } = {},
) {
  const { on = policy, causes } = more;
  const incident = more.incident ?? changes.incidents[0]?.incident;
  const items = new Map(changes.items.map(({ key, item }) => [key, item]));
  const held = items.get('wallet:canary');
  if (held && causes !== undefined && held.breaker.state !== 'closed') {
    items.set('wallet:canary', { ...held, breaker: { ...held.breaker, causes } });
  }
  const draft = Draft.start(Build.context({ policy: on }), { rows: new Map(), items });
  const by = { actor: 'drill', incidentId: incident?.incidentId ?? 'none' };
  return Drill.reset(draft, incident, by);
}

describe('isDrill', () => {
  test('default: the canary under a made-up transaction, and nothing else', () => {
    const rowId = `outflow:${Build.CHAIN}:drill:one:top`;
    expect(Canary.isDrill(policy, { wallet: 'canary', rowId })).toBe(true);
    expect(Canary.isDrill(policy, { wallet: 'hot-1', rowId })).toBe(false);
    const real = `outflow:${Build.CHAIN}:0xabc:top`;
    expect(Canary.isDrill(policy, { wallet: 'canary', rowId: real })).toBe(false);
    expect(Canary.isDrill(base, { wallet: 'canary', rowId })).toBe(false);
  });
});

describe('outflowOf', () => {
  const outflowOf = (assets: Policy['assets'], addresses: readonly string[] = [ADDRESS]) =>
    Canary.outflowOf({ ...policy, assets }, { ...canary, addresses: addresses as never }, 'one');
  const canary = Canary.canaryOf(policy)!;
  const asset = (pattern: string, floorPricePicoUsd?: bigint) => ({
    pattern,
    symbol: 'X',
    decimals: 6,
    ...(floorPricePicoUsd === undefined ? {} : { floorPricePicoUsd }),
  });

  test('default: one base unit to nobody, under a transaction that no chain has', () => {
    expect(outflowOf(policy.assets)).toEqual({
      transaction: 'drill:one',
      place: 'top',
      wallet: ADDRESS,
      asset: Build.ETH,
      destination: `${Build.CHAIN}:0x000000000000000000000000000000000000dead`,
      amount: '1',
    });
  });

  test('behavior: of an asset with a price, so that no second cause keeps it from its reset', () => {
    const bare = asset(Build.PRICELESS);
    expect(outflowOf([bare, asset(Build.USDC, 1n)])?.asset).toBe(Build.USDC);
    expect(outflowOf([bare])?.asset).toBe(Build.PRICELESS);
  });

  test('args: none without an asset that is listed on its chain, and without an address', () => {
    const elsewhere = [asset(Build.WRAPPED_ETH, 1n), asset('eip155:1/erc20:*', 1n)];
    expect(outflowOf(elsewhere)).toBeUndefined();
    expect(outflowOf(policy.assets, [])).toBeUndefined();
  });

  test('behavior: on a chain that is no EVM', () => {
    const outflow = outflowOf([asset('solana:main/slip44:501', 1n)], ['solana:main:abc']);
    expect(outflow?.destination).toBe('solana:main:breakwater-drill');
  });
});

describe('opens', () => {
  const cause = { kind: 'unmatched', rowId: `outflow:${Build.CHAIN}:drill:one:top` } as const;

  test('default: an unmatched outflow of a drill on the canary, and nothing else', () => {
    expect(Canary.opens(policy, 'wallet:canary', cause)).toBe(true);
    expect(Canary.opens(policy, 'global', cause)).toBe(false);
    expect(Canary.opens(policy, 'wallet:canary', { ...cause, kind: 'limit' })).toBe(false);
    expect(Canary.opens(base, 'wallet:canary', cause)).toBe(false);
  });

  test('behavior: on every chain of the canary', () => {
    const addresses = [ADDRESS, Build.HOT_1_OTHER_CHAIN] as never;
    const wallets = policy.wallets.map((one) => (one.canary ? { ...one, addresses } : one));
    const rowId = `outflow:${Build.OTHER_CHAIN}:drill:one:top`;
    expect(Canary.isDrill({ wallets }, { wallet: 'canary', rowId })).toBe(true);
    expect(Canary.isDrill(policy, { wallet: 'canary', rowId })).toBe(false);
  });
});

describe('decide', () => {
  test('behavior: a drill opens the canary alone, whatever scope the policy has for thefts; H33', () => {
    const { outcomes, changes } = trip('drill:one');
    expect(outcomes[0]?.trips.map(({ scope }) => scope)).toEqual(['wallet:canary']);
    expect(changes.incidents[0]?.incident).toMatchObject({ drill: true, scope: 'wallet:canary' });
  });

  test('behavior: a drill stops nothing beside the canary, that people would have to resume; H79', () => {
    const { changes } = trip('drill:one');
    expect(changes.incidents.map(({ incident }) => incident.scope)).toEqual(['wallet:canary']);
    const stopped = changes.items.filter(({ item }) => item.breaker.state !== 'closed');
    expect(stopped.map(({ key }) => key)).toEqual(['wallet:canary']);
  });

  test('behavior: a wider scope that resumes in steps is not opened again by a drill', () => {
    const mark = { atMs: 1, steps: [] } as never;
    const steps = [{ shareBps: 5_000, forMs: 3_600_000 }];
    const tripped = trip('0xabc').changes.items.find(({ key }) => key === 'global')?.item;
    if (!tripped || tripped.breaker.state === 'closed') throw new Error('global is not open');
    const { incidentId } = tripped.breaker;
    const more = { incidentId, steps, budget: 10n ** 12n, mark };
    const breaker = Breaker.resume(tripped.breaker, more) as Breaker.Breaker;
    const { outcomes } = trip('drill:one', policy, [['global', { ...tripped, breaker }]]);
    expect(outcomes[0]?.trips.map(({ scope }) => scope)).toEqual(['wallet:canary']);
  });

  test('behavior: a real outflow of the canary is a theft like any other', () => {
    const { outcomes, changes } = trip('0xabc');
    expect(outcomes[0]?.trips.map(({ scope }) => scope)).toEqual(['global']);
    expect(changes.incidents.map(({ incident }) => incident.scope)).toEqual([
      'global',
      'wallet:canary',
      expect.stringMatching(/^destination:/),
    ]);
    expect(changes.incidents.some(({ incident }) => incident.drill)).toBe(false);
  });
});

describe('reset', () => {
  test('default: closes the canary and its incident in one change', () => {
    const { result, changes } = resetOf(trip('drill:one').changes);
    expect(result).toMatchObject({ kind: 'drill-reset', scope: 'wallet:canary' });
    const canary = changes?.items.find(({ key }) => key === 'wallet:canary');
    expect(canary?.item.breaker.state).toBe('closed');
    expect(changes?.incidents).toMatchObject([
      { expected: 'open', incident: { state: 'closed', drill: true } },
    ]);
  });

  test('error: a theft from the canary under its drill, stopped elsewhere: only people resume it; H79', () => {
    const onDestination = {
      ...policy,
      unmatched: { ...policy.unmatched, scope: 'destination' as const },
    };
    const drilled = trip('drill:one', onDestination).changes;
    const stored = drilled.items.map(({ key, item }) => [key, item] as const);
    const stolen = trip('0xabc', onDestination, stored).changes;
    expect(stolen.causes).toMatchObject([
      { incidentId: drilled.incidents[0]?.incident.incidentId, number: 2 },
    ]);
    const more = { on: onDestination, incident: drilled.incidents[0]!.incident };
    expect(resetOf(stolen, more).result).toMatchObject({
      kind: 'refused',
      why: '1 more causes have joined the drill: only people resume it',
    });
  });

  test('behavior: where the theft opens the canary itself it is told there once', () => {
    const onWallet = { ...policy, unmatched: { ...policy.unmatched, scope: 'wallet' as const } };
    const drilled = trip('drill:one', onWallet).changes;
    const stored = drilled.items.map(({ key, item }) => [key, item] as const);
    expect(trip('0xabc', onWallet, stored).changes.causes).toMatchObject([{ number: 2 }]);
  });

  const opened = trip('drill:one').changes;
  const incident = opened.incidents[0]?.incident as Breaker.Incident;
  test.each([
    [
      'no incident',
      { incident: { ...incident, incidentId: 'X', state: 'closed' } as Breaker.Incident },
    ],
    ['a scope that is not the canary', { incident: { ...incident, scope: 'global' } }],
    ['a wallet that the policy marks no more', { on: base }],
    ['an incident that no drill opened', { incident: strip(incident) }],
    [
      'a first cause that is no drill, whatever the mark says',
      { incident: { ...incident, first: { ...incident.first, rowId: 'outflow:x:y:0xabc:top' } } },
    ],
    [
      'a pause by a person',
      {
        incident: {
          ...incident,
          first: { ...incident.first, kind: 'operator' },
        } as Breaker.Incident,
      },
    ],
    ['one that is closed', { incident: { ...incident, state: 'closed' } as Breaker.Incident }],
    ['a cause that joined it', { causes: 2 }],
  ])('error: %s is for people; H80', (_what, more) => {
    const { result, changes } = resetOf(opened, more);
    expect(result.kind).toBe('refused');
    expect(changes).toBeUndefined();
  });

  test('error: H80: a breaker that is closed, or held by another incident, stays as it is', () => {
    const reset = (breaker: Breaker.Breaker) =>
      Drill.reset(
        Draft.start(
          Build.context({ policy }),
          Build.loaded({ items: { 'wallet:canary': Build.item({ breaker }) } }),
        ),
        incident,
        { actor: 'drill', incidentId: incident.incidentId },
      );
    const held = { state: 'open', epoch: 1, openedAtMs: Build.T0_MS, causes: 1 } as const;
    for (const breaker of [
      { state: 'closed', epoch: 1 } as const,
      { ...held, incidentId: 'OTHER' },
    ]) {
      expect(reset(breaker)).toEqual({
        result: {
          kind: 'refused',
          why: `the breaker of wallet:canary is not held by ${incident.incidentId}`,
        },
      });
    }
  });

  test('behavior: it says why it is refused, and who reset it', () => {
    const why = (more: Parameters<typeof resetOf>[1]) => {
      const { result } = resetOf(opened, more);
      return result.kind === 'refused' && result.why;
    };
    expect(why({ causes: 3 })).toBe('2 more causes have joined the drill: only people resume it');
    expect(why({ on: base })).toBe('the policy marks no canary wallet: a drill may reset nothing');
    expect(why({ incident: { ...incident, scope: 'global' } })).toBe(
      'global is not the canary: only people resume it',
    );
    expect(why({ incident: strip(incident) })).toBe(
      'no drill opened this incident: only people resume it',
    );
    expect(why({ incident: { ...incident, state: 'closed' } as Breaker.Incident })).toBe(
      `incident ${incident.incidentId} is closed already`,
    );
    const none = Drill.reset(Draft.start(Build.context({ policy }), Build.loaded()), undefined, {
      actor: 'drill',
      incidentId: 'INC9',
    });
    expect(none.result).toEqual({ kind: 'refused', why: 'there is no incident INC9' });
    expect(resetOf(opened).changes?.incidents[0]?.incident.closed).toEqual({
      atMs: Build.T0_MS,
      actor: 'drill',
      reason: 'drill: verified and reset',
    });
  });
});

function strip({ drill: _, ...incident }: Breaker.Incident): Breaker.Incident {
  return incident;
}
