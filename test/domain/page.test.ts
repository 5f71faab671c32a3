import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Incident } from '../../lib/domain/breaker.ts';
import * as Page from '../../lib/domain/page.ts';
import { T0_MS, usd } from '../support/builders.ts';

const incident: Incident = {
  incidentId: '01HA4Q2V7N9K3M5P8R1S',
  scope: 'key-domain:vault-a',
  epoch: 1,
  openedAtMs: T0_MS,
  first: {
    kind: 'unmatched',
    atMs: T0_MS,
    rowId: 'outflow:eip155:1:0xa:top',
    text: 'outflow of 4,947 ETH',
    notional: usd(7_420_500),
  },
  policyVersion: 3,
  state: 'open',
};
const scope = fc.string({ unit: fc.constantFrom(...'a%:|/😀'), minLength: 1, maxLength: 700 });

describe('opened', () => {
  test('default', () => {
    expect(Page.opened(incident)).toMatchInlineSnapshot(`
      {
        "body": "TRIPPED key-domain:vault-a at 2023-09-12T13:21:00.000Z
      Cause: outflow of 4,947 ETH
      Withdrawals in this scope are not enabled until people resume it.
      Its wallet and its destination are stopped by incidents of their own, until a resume names them: breakwater status
      Look:   breakwater incident 01HA4Q2V7N9K3M5P8R1S
      Resume: breakwater resume propose 01HA4Q2V7N9K3M5P8R1S --reason "…"
              under resume: trial, alone: breakwater resume 01HA4Q2V7N9K3M5P8R1S --reason "…"
      Note: a pause stops the withdrawal service. It cannot stop somebody who holds the private keys; move what is left to safety first.
      Policy version 3, epoch 1, event outflow:eip155:1:0xa:top",
        "severity": "page",
        "subject": "TRIPPED key-domain:vault-a: unmatched $7,420,500; run: breakwater incident 01HA4Q2V7N9K3M5P8R1S",
      }
    `);
  });

  test('behavior: H83: an operator’s pause is not called a trip', () => {
    const first = { ...incident.first, kind: 'operator' as const, notional: 0n };
    expect(Page.opened({ ...incident, first }).subject).toBe(
      'PAUSED key-domain:vault-a: operator; run: breakwater incident 01HA4Q2V7N9K3M5P8R1S',
    );
  });

  test('behavior: the first line fits a phone and keeps the next command, however long the scope', () => {
    fc.assert(
      fc.property(scope, fc.bigInt({ min: 0n, max: 2n ** 90n }), (name, notional) => {
        const { subject } = Page.opened({
          ...incident,
          scope: name,
          first: { ...incident.first, notional },
        });
        expect(subject.length).toBeLessThanOrEqual(Page.SUBJECT_MAX);
        expect(subject).toMatch(/run: breakwater incident 01HA4Q2V7N9K3M5P8R1S$/);
      }),
    );
  });
});

describe('joined', () => {
  const paused = {
    ...incident,
    first: { ...incident.first, kind: 'operator', text: 'drill' },
  } as const;

  test('default', () => {
    expect(Page.joined(paused, incident.first)).toMatchInlineSnapshot(`
      {
        "body": "UNMATCHED OUTFLOW in key-domain:vault-a at 2023-09-12T13:21:00.000Z, already paused
      New: outflow of 4,947 ETH
      The incident was opened for another reason: drill
      Do not resume for that reason alone. More of this kind in this incident is listed, not paged.
      Look: breakwater incident 01HA4Q2V7N9K3M5P8R1S
      Event outflow:eip155:1:0xa:top",
        "severity": "page",
        "subject": "UNMATCHED OUTFLOW in key-domain:vault-a, already paused: $7,420,500; run: breakwater incident 01HA4Q2V7N9K3M5P8R1S",
      }
    `);
  });

  test('behavior: H83: a scope that was resumed meanwhile is not called paused', () => {
    const { subject } = Page.joined({ ...paused, state: 'closed' }, incident.first);
    expect(subject).toContain(', RESUMED SINCE: ');
  });

  test('behavior: the first line fits a phone and keeps the next command, however long the scope', () => {
    fc.assert(
      fc.property(scope, fc.bigInt({ min: 0n, max: 2n ** 90n }), (name, notional) => {
        const { subject } = Page.joined(
          { ...paused, scope: name },
          { ...incident.first, notional },
        );
        expect(subject.length).toBeLessThanOrEqual(Page.SUBJECT_MAX);
        expect(subject).toMatch(/run: breakwater incident 01HA4Q2V7N9K3M5P8R1S$/);
      }),
    );
  });
});

describe('closed', () => {
  const closed = { atMs: T0_MS, actor: 'alice', reason: 'checked' };

  test('default', () => {
    expect(Page.closed({ ...incident, state: 'closed', closed })).toMatchInlineSnapshot(`
      {
        "body": "RESUMED key-domain:vault-a by alice
      Incident 01HA4Q2V7N9K3M5P8R1S. Reason: checked",
        "severity": "notice",
        "subject": "RESUMED key-domain:vault-a by alice",
      }
    `);
  });

  test('behavior: the first line fits a phone', () => {
    fc.assert(
      fc.property(scope, scope, (name, actor) => {
        const page = Page.closed({ ...incident, scope: name, closed: { ...closed, actor } });
        expect(page.subject.length).toBeLessThanOrEqual(Page.SUBJECT_MAX);
      }),
    );
  });
});

describe('alert', () => {
  const raised = {
    alertId: 'a',
    kind: 'warn',
    atMs: T0_MS,
    scope: 'wallet:a',
    rowId: 'withdrawal:w',
    text: 'limit x',
  } as const;

  test('default', () => {
    expect(Page.alert(raised)).toMatchInlineSnapshot(`
      {
        "body": "WARN limit x
      Scope wallet:a, event withdrawal:w, 2023-09-12T13:21:00.000Z",
        "severity": "notice",
        "subject": "WARN limit x",
      }
    `);
  });

  test('behavior: the first line fits a phone', () => {
    fc.assert(
      fc.property(scope, (text) => {
        expect(Page.alert({ ...raised, text }).subject.length).toBeLessThanOrEqual(
          Page.SUBJECT_MAX,
        );
      }),
    );
  });
});

describe('policy', () => {
  const stored = {
    version: 7,
    hash: 'abcdef0123456789',
    source: '',
    appliedAtMs: T0_MS,
    actor: 'alice',
  };
  const judged = { tightens: 2, loosens: 1, revokes: 0, neutral: 0 };

  test('default', () => {
    const changed = { reason: 'more customers', beforeHash: '0123456789abcdef', judged };
    expect(Page.policy({ ...stored, ...changed })).toMatchInlineSnapshot(`
      {
        "body": "POLICY version 7 (abcdef012345) in force, by alice: 2 tightened, 1 loosened
      Reason: more customers
      Replaced: 0123456789abcdef
      Hash: abcdef0123456789
      Look: breakwater policy show",
        "severity": "notice",
        "subject": "POLICY version 7 (abcdef012345) in force, by alice: 2 tightened, 1 loosened",
      }
    `);
  });

  test('behavior: the first one', () => {
    expect(Page.policy(stored)).toMatchInlineSnapshot(`
      {
        "body": "POLICY version 7 (abcdef012345) in force, by alice
      Reason: none given
      Hash: abcdef0123456789
      Look: breakwater policy show",
        "severity": "notice",
        "subject": "POLICY version 7 (abcdef012345) in force, by alice",
      }
    `);
  });

  test('behavior: the first line keeps its length, and says what changed', () => {
    const actors = fc.string({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(actors, fc.nat(9_999), fc.nat(), (actor, count, version) => {
        const all = { tightens: count, loosens: count, revokes: count, neutral: count };
        const { subject } = Page.policy({ ...stored, version, actor, judged: all });
        expect(subject.length).toBeLessThanOrEqual(Page.SUBJECT_MAX);
        expect(subject.endsWith(`: ${Page.judged(all)}`)).toBe(true);
      }),
    );
  });
});

describe('judged', () => {
  test.each([
    [{ tightens: 2, loosens: 1, revokes: 0, neutral: 0 }, '2 tightened, 1 loosened'],
    [{ tightens: 0, loosens: 0, revokes: 1, neutral: 3 }, '1 revoked, 3 neutral'],
    [{ tightens: 0, loosens: 0, revokes: 0, neutral: 0 }, 'the same rules'],
  ])('args: %j', (counts, text) => {
    expect(Page.judged(counts)).toBe(text);
  });
});
