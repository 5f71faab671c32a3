import { describe, expect, test } from 'vitest';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import * as Audit from '../../lib/domain/audit.ts';
import type { Cause, Incident } from '../../lib/domain/breaker.ts';
import * as Evidence from '../../lib/domain/evidence.ts';
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
});
