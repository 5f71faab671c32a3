import { describe, expect, test } from 'vitest';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Panic from '../../lib/domain/panic.ts';
import type * as TypedData from '../../lib/domain/typed-data.ts';
import { context, item, loaded, policy, T0_MS } from '../support/builders.ts';

const SCOPE = 'wallet:hot-1';
const rules = policy({ operators: [{ name: 'partner', address: '0xab', roles: ['panic'] }] });
const panic: TypedData.Panic = {
  commandId: 'c1',
  scope: SCOPE,
  reason: 'odd',
  expiresAtMs: T0_MS + 1,
};

const decide = (
  more: Partial<TypedData.Panic> = {},
  stored: {
    readonly rows?: readonly Ledger.Row[];
    readonly item?: Ledger.Item;
    readonly address?: string;
  } = {},
) =>
  Panic.decide(
    context({ policy: rules }),
    loaded({
      rows: stored.rows ?? [],
      items: { global: item(), [SCOPE]: stored.item ?? item() },
    }),
    { panic: { ...panic, ...more }, by: { address: stored.address ?? '0xAB', bodyHash: 'b' } },
  );
const why = (...given: Parameters<typeof decide>) => {
  const { result, changes } = decide(...given);
  expect(changes).toBeUndefined();
  return result.kind === 'refused' && result.why;
};

describe('canonicalBody', () => {
  test('default: everything but the id tells commands apart', () => {
    const bodies = [
      panic,
      { ...panic, scope: 'global' },
      { ...panic, shareBps: 0 },
      { ...panic, shareBps: 1 },
      { ...panic, reason: 'other' },
      { ...panic, expiresAtMs: T0_MS },
    ].map(Panic.canonicalBody);
    expect(new Set(bodies).size).toBe(6);
    expect(bodies[0]).toBe(`["panic","${SCOPE}",null,"odd",${T0_MS + 1}]`);
    expect(Panic.canonicalBody({ ...panic, commandId: 'c2' })).toBe(bodies[0]);
  });
});

describe('decide', () => {
  test('default: one operator alone stops a scope, and everybody hears of it', () => {
    const { result, changes } = decide();
    expect(result).toEqual({ kind: 'paused', scope: SCOPE, incidentId: 'INC1', already: false });
    expect(changes?.incidents[0]?.incident.first).toMatchObject({
      kind: 'operator',
      atMs: T0_MS,
      rowId: 'command:c1',
      text: 'paused by operator:partner: odd',
      notional: 0n,
      actor: 'operator:partner',
    });
    expect(changes?.alerts).toEqual([
      {
        alertId: 'panic|c1',
        kind: 'panic',
        atMs: T0_MS,
        scope: SCOPE,
        rowId: 'command:c1',
        text: `${SCOPE}: paused by operator:partner: odd`,
      },
    ]);
  });

  test('behavior: what is stopped already stays as it is, and the cause joins it', () => {
    const breaker = {
      state: 'open',
      epoch: 1,
      incidentId: 'INC7',
      openedAtMs: T0_MS,
      causes: 1,
    } as const;
    expect(decide({}, { item: item({ breaker }) }).result).toMatchObject({
      incidentId: 'INC7',
      already: true,
    });
  });

  test('behavior: H52: limits at a share, where a lower one stays', () => {
    const { result, changes } = decide({ shareBps: 1_050 });
    expect(result).toMatchObject({ kind: 'tightened', incidentId: 'INC1', already: false });
    expect(changes?.alerts[0]?.text).toBe(`${SCOPE}: limits at 10.5% by operator:partner: odd`);
    const overlay = { shareBps: 100, incidentId: 'INC7', by: 'p', atMs: T0_MS, causes: 1 };
    const again = decide({ shareBps: 1_050 }, { item: item({ overlay }) });
    expect(again.result).toMatchObject({ incidentId: 'INC7', already: true });
  });

  test('error: nobody whom the policy names, a share that loosens, and a time that is past or far', () => {
    expect(why({}, { address: '0xCD' })).toBe('0xCD is no operator of the policy in force');
    expect(why({ shareBps: 10_000 })).toBe('an overlay allows 0% to 99.99% of each limit');
    expect(why({ expiresAtMs: T0_MS })).toBe('expires: is past');
    expect(why({ expiresAtMs: T0_MS + Panic.LIFE_MAX_MS + 1 })).toBe(
      'expires: is more than an hour ahead',
    );
    expect(decide({ expiresAtMs: T0_MS + Panic.LIFE_MAX_MS }).result.kind).toBe('paused');
  });

  test('behavior: H14: a replay does nothing, nor does another command under its id', () => {
    const row = {
      rowId: 'command:c1',
      version: 1,
      state: 'noted',
      decisionId: 'd',
      atMs: T0_MS,
      policyVersion: 1,
      note: '',
    } as const;
    expect(decide({}, { rows: [{ ...row, bodyHash: 'b' }] })).toEqual({
      result: { kind: 'duplicate' },
    });
    expect(why({}, { rows: [{ ...row, bodyHash: 'other' }] })).toBe(
      'commandId c1 was used for another command',
    );
  });
});
