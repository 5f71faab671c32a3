import { describe, expect, test } from 'vitest';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type { Policy } from '../../lib/domain/policy.ts';
import * as Quarantine from '../../lib/domain/quarantine.ts';
import type { Subject } from '../../lib/domain/scope.ts';
import { CUSTOMER, context, item, loaded, policy, subject, T0_MS } from '../support/builders.ts';

const MAIN = 'key-domain:vault-a';
const WALLET = 'wallet:hot-1';
const WHOLE = `destination:${CUSTOMER}`;

const open = (more: { readonly causes?: number; readonly epoch?: number } = {}): Ledger.Item =>
  item({
    breaker: {
      state: 'open',
      epoch: 1,
      incidentId: 'MAIN',
      openedAtMs: T0_MS,
      causes: 1,
      ...more,
    },
  });

describe('keys', () => {
  test('default: the wallet, and the destination', () => {
    expect(Quarantine.keys(subject())).toEqual([WALLET, WHOLE]);
  });

  test('behavior: with its memo, and as a whole', () => {
    expect(Quarantine.keys(subject({ memo: '7' }))).toEqual([WALLET, `${WHOLE}|7`, WHOLE]);
  });
});

describe('allKeys', () => {
  const allKeys = (scope: Policy['unmatched']['scope']) =>
    Quarantine.allKeys(policy({ unmatched: { scope, risks: 'pause' } }), subject());

  test('default: what an outflow that nobody approved stops, all that covers it, and what is stopped beside', () => {
    expect(allKeys('key-domain')).toEqual([MAIN, 'global', WALLET, WHOLE]);
  });

  test('behavior: each once', () => {
    expect(allKeys('wallet')).toEqual([WALLET, MAIN, 'global', WHOLE]);
  });
});

describe('quarantine', () => {
  const cause: Breaker.Cause = {
    kind: 'unmatched',
    atMs: T0_MS,
    rowId: 'outflow:1',
    text: 'nobody approved it',
    notional: 5n,
  };
  const stop = (items: Readonly<Record<string, Ledger.Item>>, about: Partial<Subject> = {}) => {
    const draft = Draft.start(context(), loaded({ items: { global: item(), ...items } }));
    const trip = { scope: MAIN, incidentId: 'MAIN', opened: true } as Draft.Trip;
    Quarantine.quarantine(draft, { subject: subject(about), cause, trip });
    const opened = draft.incidents.map(({ scope }) => scope);
    return { draft, opened };
  };

  test('default: H79: wallet and destination, each with an incident that names the one beside it', () => {
    const { draft, opened } = stop({ [MAIN]: open() }, { memo: '7' });
    expect(opened).toEqual([WALLET, `${WHOLE}|7`, WHOLE]);
    expect(draft.incidents[0]).toMatchObject({
      quarantinedBy: 'MAIN',
      state: 'open',
      first: { ...cause, text: 'stopped beside incident MAIN: nobody approved it' },
    });
    expect(Draft.item(draft, WALLET).breaker).toMatchObject({ state: 'open', causes: 1 });
  });

  test('behavior: what is open stays as it is, what is closed beside it is stopped', () => {
    const { draft, opened } = stop({ [MAIN]: open(), [WALLET]: open({ epoch: 4 }) });
    expect(opened).toEqual([WHOLE]);
    expect(Draft.item(draft, WALLET)).toEqual(open({ epoch: 4 }));
    expect(draft.causes).toEqual([]);
  });

  test('behavior: what is open and is left so is a condition of the decision: it may be resumed meanwhile', () => {
    const { draft } = stop({ [MAIN]: open(), [WALLET]: { ...open({ epoch: 4 }), version: 9 } });
    expect(Draft.changes(draft).items).toContainEqual({
      key: WALLET,
      expected: 9,
      item: { ...open({ epoch: 4 }), version: 10 },
    });
  });

  test('behavior: H79: of a flood, up to 200 causes, destinations are stopped; the wallet always', () => {
    const flood = (causes: number) => stop({ [MAIN]: open({ causes }) }).opened;
    expect(flood(Quarantine.CAUSES_MAX)).toEqual([WALLET, WHOLE]);
    expect(flood(Quarantine.CAUSES_MAX + 1)).toEqual([WALLET]);
  });

  test('behavior: a breaker that is closed, as in shadow, is no flood', () => {
    expect(stop({ [MAIN]: item() }).opened).toEqual([WALLET, WHOLE]);
  });

  test('behavior: nobody owns address zero: money that is burned stops its wallet alone', () => {
    expect(
      stop({ [MAIN]: open() }, { destination: `eip155:1:0x${'0'.repeat(40)}` }).opened,
    ).toEqual([WALLET]);
  });

  test('behavior: an address that begins or ends with zeros is one like any other', () => {
    for (const digits of [`${'0'.repeat(39)}1`, `1${'0'.repeat(39)}`] as const) {
      const destination = `eip155:1:0x${digits}` as const;
      expect(stop({ [MAIN]: open() }, { destination }).opened).toEqual([
        WALLET,
        `destination:${destination}`,
      ]);
    }
  });
});
