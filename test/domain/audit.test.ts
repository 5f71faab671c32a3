import { describe, expect, test } from 'vitest';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import * as Audit from '../../lib/domain/audit.ts';
import type { Cause, Incident } from '../../lib/domain/breaker.ts';
import { entry } from '../support/audit.ts';
import * as Build from '../support/builders.ts';

const { hash } = nodeDigest;
const CAUSE: Cause = {
  kind: 'unmatched',
  atMs: 5,
  rowId: 'outflow:1',
  text: 'nobody approved it',
  notional: 7_000_000n,
};
const INCIDENT: Incident = {
  incidentId: 'INC1',
  scope: 'wallet:hot-1',
  epoch: 3,
  openedAtMs: 5,
  first: CAUSE,
  policyVersion: 2,
  state: 'open',
};
const CLOSED: Incident = {
  ...INCIDENT,
  state: 'closed',
  closed: { atMs: 9, actor: 'ann', reason: 'checked' },
};
const POLICY = { version: 2, hash: 'abc', source: 'x', appliedAtMs: 4, actor: 'ann' };
const ALERT = { alertId: 'a', atMs: 4, scope: 'global', rowId: 'withdrawal:w', text: 'no' };

/** The only entry that a record is. */
const entryOf = (record: Audit.Recorded) => Audit.entriesOf(record)[0];

describe('entriesOf', () => {
  test('default: H51 who, what, before, after, reason; these texts must not change', () => {
    const records: readonly Audit.Recorded[] = [
      { type: 'incident-opened', incident: INCIDENT },
      { type: 'cause-added', incidentId: 'INC1', number: 2, cause: { ...CAUSE, actor: 'bob' } },
      { type: 'incident-closed', incident: CLOSED },
      { type: 'policy-applied', policy: POLICY },
      { type: 'alert-raised', alert: { ...ALERT, kind: 'refused' } },
    ];
    expect(records.flatMap(Audit.entriesOf)).toMatchInlineSnapshot(`
      [
        {
          "after": "not enabled: incident INC1, epoch 3, policy version 2, unmatched, $7.00, event outflow:1",
          "atMs": 5,
          "before": "withdrawals enabled",
          "entryId": "opened:INC1",
          "reason": "nobody approved it",
          "scope": "wallet:hot-1",
          "what": "incident.opened",
          "who": "breakwater",
        },
        {
          "after": "incident INC1, cause 2: unmatched, $7.00, event outflow:1",
          "atMs": 5,
          "before": "incident INC1",
          "entryId": "cause:INC1:2",
          "reason": "nobody approved it",
          "what": "cause.added",
          "who": "bob",
        },
        {
          "after": "withdrawals enabled: incident INC1 closed",
          "atMs": 9,
          "before": "not enabled: incident INC1",
          "entryId": "closed:INC1",
          "reason": "checked",
          "scope": "wallet:hot-1",
          "what": "incident.closed",
          "who": "ann",
        },
        {
          "after": "version 2, abc",
          "atMs": 4,
          "before": "version 1",
          "entryId": "policy:2",
          "reason": "",
          "what": "policy.applied",
          "who": "ann",
        },
        {
          "after": "nothing changed",
          "atMs": 4,
          "before": "withdrawal:w",
          "entryId": "alert:a",
          "reason": "no",
          "scope": "global",
          "what": "event.refused",
          "who": "breakwater",
        },
      ]
    `);
  });

  test('behavior: the incident as it is now tells its opening as it was then', () => {
    const of = (incident: Incident) => entryOf({ type: 'incident-opened', incident });
    expect(of(CLOSED)).toEqual(of(INCIDENT));
  });

  test('behavior: a resume in steps that began', () => {
    const resuming = { atMs: 8, actors: ['ann', 'bob'], reason: 'steps', epoch: 1 };
    const incident: Incident = { ...INCIDENT, resuming };
    for (const type of ['incident-changed', 'incident-resuming'] as const) {
      expect(entryOf({ type, incident })).toMatchObject({
        entryId: 'resuming:INC1:8',
        atMs: 8,
        who: 'ann, bob',
        what: 'incident.resuming',
        before: 'not enabled: incident INC1',
        after: 'resuming in steps: incident INC1',
        reason: 'steps',
      });
    }
    expect(entryOf({ type: 'incident-changed', incident: INCIDENT })).toBeUndefined();
  });

  test('behavior: of a proposal, itself and each signature that it has', () => {
    const proposal = Build.proposal();
    const entries = Audit.entriesOf({ type: 'proposal-changed', proposal });
    expect(entries.length).toBeGreaterThan(0);
    for (const { entryId } of entries) expect(entryId).toContain(proposal.proposalId);
  });

  test('behavior: money of no size is said with none', () => {
    const cause = { ...CAUSE, notional: 0n };
    const told = entryOf({ type: 'cause-added', incidentId: 'INC1', number: 2, cause });
    expect(told?.after).toBe('incident INC1, cause 2: unmatched, event outflow:1');
  });

  test('behavior: what a policy says of the change that brought it', () => {
    const policy = { ...POLICY, reason: 'new wallet', beforeHash: 'aaa' };
    expect(entryOf({ type: 'policy-applied', policy })).toMatchObject({
      before: 'version 1, aaa',
      reason: 'new wallet',
    });
    const first = { ...POLICY, version: 1 };
    expect(entryOf({ type: 'policy-applied', policy: first })?.before).toBe('no policy');
  });

  test('behavior: alerts are no entries, but for what was refused and has no entry of its own', () => {
    const of = (parts: object) =>
      entryOf({ type: 'alert-raised', alert: { ...ALERT, kind: 'warn', ...parts } });
    expect(of({})).toBeUndefined();
    expect(of({ kind: 'refused', rowId: 'message:1' })).toBeUndefined();
    expect(of({ kind: 'refused' })?.entryId).toBe('alert:a');
    expect(entryOf({ type: 'ignored' })).toBeUndefined();
  });

  test('behavior: long texts are cut and say so', () => {
    const text = 'x'.repeat(5_000);
    const cause = { ...CAUSE, text };
    const told = entryOf({ type: 'cause-added', incidentId: 'I', number: 2, cause });
    expect(told?.reason).toBe(`${'x'.repeat(1_999)}…`);
    const same = { ...cause, text: 'x'.repeat(2_000) };
    expect(entryOf({ type: 'cause-added', incidentId: 'I', number: 2, cause: same })?.reason).toBe(
      same.text,
    );
  });
});

describe('extend', () => {
  test('default', () => {
    const links = Audit.extend(Audit.GENESIS, [entry('a'), entry('b')], hash);
    expect(links.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(links[0]?.previousHash).toBe('0'.repeat(64));
    expect(links[1]?.previousHash).toBe(links[0]?.hash);
    expect(links.map((link) => Audit.hashOf(link, hash))).toEqual(links.map((link) => link.hash));
  });

  test('behavior: in two parts it is the same chain', () => {
    const whole = Audit.extend(Audit.GENESIS, [entry('a'), entry('b'), entry('c')], hash);
    const first = Audit.extend(Audit.GENESIS, [entry('a')], hash);
    const head = Audit.headAfter(Audit.GENESIS, first);
    expect([...first, ...Audit.extend(head, [entry('b'), entry('c')], hash)]).toEqual(whole);
    expect(Audit.extend(head, [], hash)).toEqual([]);
  });
});

describe('drift', () => {
  const facts = [entry('a'), entry('b'), entry('c')];
  const chain = Audit.extend(Audit.GENESIS, facts, hash);

  test('default: H87 rebuilt from the facts, in any order, it is the stored chain', () => {
    expect(Audit.drift(chain, facts.toReversed(), hash)).toEqual({ missing: [], unfounded: [] });
    expect(Audit.drift([], [], hash)).toEqual({ missing: [], unfounded: [] });
  });

  test('behavior: a fact that is in no link, and a link without a fact', () => {
    expect(Audit.drift(chain, [...facts, entry('d')], hash).missing).toEqual(['d']);
    expect(Audit.drift(chain, facts.slice(1), hash)).toEqual({ missing: [], unfounded: [1] });
  });

  test('behavior: H87 the first link whose text is not that of its fact, or whose hash is none', () => {
    const changed = [entry('a'), entry('b', { reason: 'another' }), entry('c')];
    expect(Audit.drift(chain, changed, hash).differsAt).toBe(2);
    const forged = chain.map((link) => (link.sequence === 3 ? { ...link, hash: '0' } : link));
    expect(Audit.drift(forged, facts, hash).differsAt).toBe(3);
    expect(Audit.drift(chain.slice(1), facts, hash).differsAt).toBe(2);
  });
});

describe('refusal', () => {
  test('default', () => {
    const parts = { refusalId: 'r', atMs: 1, who: 'ann', command: 'resume', why: 'no' };
    expect(Audit.refusal(parts)).toEqual({
      entryId: 'refused:r',
      atMs: 1,
      who: 'ann',
      what: 'command.refused',
      before: 'resume',
      after: 'nothing changed',
      reason: 'no',
    });
  });
});
