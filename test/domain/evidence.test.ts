import { describe, expect, test } from 'vitest';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import * as Audit from '../../lib/domain/audit.ts';
import type { Cause, Incident } from '../../lib/domain/breaker.ts';
import * as Evidence from '../../lib/domain/evidence.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import { entry } from '../support/audit.ts';
import * as Build from '../support/builders.ts';

const CAUSE: Cause = { kind: 'limit', atMs: 1, rowId: 'w', text: 'too much', notional: 1n };
const INCIDENT: Incident = {
  incidentId: 'INC12345',
  scope: 'wallet:hot-1',
  epoch: 1,
  openedAtMs: 1,
  first: CAUSE,
  policyVersion: 3,
  state: 'open',
};

function parts(over: Partial<Evidence.Parts> = {}): Evidence.Parts {
  return {
    atMs: 9,
    incident: INCIDENT,
    causes: [CAUSE],
    rows: [],
    links: [],
    further: [],
    policy: Build.policy(),
    stored: undefined,
    seal: undefined,
    cutOff: [],
    ...over,
  };
}

describe('of', () => {
  test('default: what is missing is said', () => {
    const evidence = Evidence.of(parts());
    expect(evidence.policy).toEqual({ version: 3, hash: '', source: '' });
    expect(evidence.contacts).toEqual([]);
    expect(evidence.cutOff).toEqual([
      expect.stringContaining('only the one that crossed it is named'),
      '1 causes name no row of the ledger',
    ]);
  });

  test('behavior: the entries that name the incident, by time, and those that wait for the chain', () => {
    const further = [entry('opened:INC12345', { atMs: 1 }), entry('closed:INC12345', { atMs: 8 })];
    const links = Audit.extend(
      Audit.GENESIS,
      [further[0] ?? entry('x'), entry('other'), entry('r', { atMs: 5, reason: 'no INC12345' })],
      nodeDigest.hash,
    );
    const { entries } = Evidence.of(parts({ further, links }));
    expect(entries.map(({ sequence, entry: { entryId } }) => [entryId, sequence])).toEqual([
      ['opened:INC12345', 1],
      ['r', 3],
      ['closed:INC12345', undefined],
    ]);
  });

  test('behavior: a flood of refusals pushes out nothing that the incident itself is', () => {
    const further = [entry('opened:INC12345', { atMs: 0 })];
    const flood = Array.from({ length: Evidence.ENTRIES_MAX + 5 }, (_, at) =>
      entry(`r${at}`, { atMs: at + 1, reason: 'INC12345' }),
    );
    const links = Audit.extend(Audit.GENESIS, [...further, ...flood], nodeDigest.hash);
    const { entries, cutOff } = Evidence.of(parts({ further, links }));
    expect(entries.length).toBe(Evidence.ENTRIES_MAX);
    expect(entries[0]?.entry.entryId).toBe('opened:INC12345');
    expect(entries.at(-1)?.entry.entryId).toBe(flood.at(-1)?.entryId);
    expect(cutOff).toContain('6 older entries of the timeline');
  });

  test('behavior: the contacts of the policy, and a limit that it no longer has', () => {
    const contacts = [{ name: 'Circle', kind: 'issuer', reach: '+1' }] as const;
    const policy = { ...Build.policy(), contacts };
    const limit = { limitId: 'gone', used: 5n, allowed: 4n };
    const evidence = Evidence.of(parts({ policy, causes: [{ ...CAUSE, limit }] }));
    expect(evidence.contacts).toEqual(contacts);
    expect(evidence.limits).toEqual([
      expect.objectContaining({
        limitId: 'gone',
        usedText: expect.stringContaining('5 (the policy'),
      }),
    ]);
  });

  test('default: each row as it was charged, and as far as it is known', () => {
    const transfer = Build.transfer({ amount: 5_000_000n });
    const leg = { asset: Build.USDC, amount: 5_000_000n, notional: 5n, pricePicoUsd: 7n };
    const row = {
      rowId: 'withdrawal:w',
      version: 2,
      state: 'matched',
      decisionId: 'd',
      bodyHash: 'b',
      atMs: 4,
      policyVersion: 3,
    } as const;
    const money = {
      transfer,
      subject: Build.subject(),
      charged: [leg, { ...leg, asset: Build.ETH, notional: 6n }],
      chargedAtMs: 4,
    };
    const full = { ...row, money, link: 'outflow:x', note: 'n', sent: { transaction: '0xa' } };
    const { rows } = Evidence.of(parts({ rows: [full, { ...row, sent: { nonce: 1 } }] }));
    const told = { rowId: 'withdrawal:w', state: 'matched', atMs: 4, policyVersion: 3 };
    expect(rows).toStrictEqual([
      {
        ...told,
        amountText: '5 USDC',
        notional: 11n,
        transfer,
        sent: '0xa',
        link: 'outflow:x',
        note: 'n',
        prices: [
          { asset: Build.USDC, pricePicoUsd: 7n },
          { asset: Build.ETH, pricePicoUsd: 7n },
        ],
      },
      { ...told, amountText: '', notional: 0n, prices: [] },
    ]);
  });

  test('behavior: what is cut off, and what is not', () => {
    const many = (count: number) =>
      Evidence.of(parts({ causes: Array(count).fill({ ...CAUSE, kind: 'unmatched' }) })).cutOff;
    expect(many(19)).toEqual(['19 causes name no row of the ledger']);
    expect(many(20)).toEqual([
      'only 20 causes of an incident are kept in full',
      '20 causes name no row of the ledger',
    ]);
    const own = { ...CAUSE, kind: 'unmatched' } as const;
    const row = { rowId: 'w', version: 1, state: 'unmatched', decisionId: 'd' } as const;
    const rest = { bodyHash: '', atMs: 1, policyVersion: 1 };
    const { cutOff } = Evidence.of(
      parts({ causes: [own], rows: [{ ...row, ...rest }], cutOff: ['else'] }),
    );
    expect(cutOff).toEqual(['else']);
  });

  test('behavior: an entry names its incident in its texts, not where two of them meet', () => {
    const split = entry('a', { before: 'INC1', after: '2345' });
    const links = Audit.extend(Audit.GENESIS, [split], nodeDigest.hash);
    expect(Evidence.of(parts({ links })).entries).toEqual([]);
  });

  test('behavior: limits as the policy in force counts them; the policy and the seal, where stored', () => {
    const policy = Build.policy({
      limits: [
        Build.limit({ limitId: 'other', metric: 'count' }),
        Build.limit({ limitId: 'hour' }),
      ],
    });
    const limit = { limitId: 'hour', used: 5_000_000n, allowed: 4_000_000n };
    const stored = { hash: 'h', source: 's' } as Ledger.StoredPolicy;
    const seal = { sequence: 1 } as Audit.Seal;
    const causes = [{ ...CAUSE, limit }, CAUSE];
    const evidence = Evidence.of(parts({ policy, causes, stored, seal }));
    expect(evidence.limits).toEqual([
      { limitId: 'hour', metric: 'notional', usedText: '$5.00', allowedText: '$4.00' },
    ]);
    expect(evidence.policy).toEqual({ version: 3, hash: 'h', source: 's' });
    expect(evidence.seal).toBe(seal);
    expect(Evidence.of(parts())).not.toHaveProperty('seal');
    const gone = Evidence.of(parts({ causes: [{ ...CAUSE, limit }] })).limits[0];
    expect(gone).toMatchObject({
      metric: 'unknown',
      allowedText: expect.stringContaining('4000000 ('),
    });
  });
});

describe('priceText', () => {
  test('default', () => {
    expect(Evidence.priceText(1_500n * 10n ** 12n)).toBe('$1500');
    expect(Evidence.priceText(1n)).toBe('$0.000000000001');
  });
});
