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

describe('opened, otherwise', () => {
  const opened = (more: Partial<Incident>, first: Partial<Incident['first']> = {}) =>
    Page.opened({ ...incident, ...more, first: { ...incident.first, ...first } });

  test('behavior: a drill says so first, wakes nobody, and speaks of no quarantine', () => {
    const { subject, severity, body } = opened({ drill: true });
    expect(subject).toMatch(/^DRILL TRIPPED key-domain:vault-a: unmatched/);
    expect(severity).toBe('notice');
    expect(body).toMatch(/^This is a drill: .*\nDRILL TRIPPED /);
    expect(body).not.toContain('Its wallet and its destination');
  });

  test('behavior: what several planned wakes nobody; what stops beside a theft is told of thefts only', () => {
    const planned = opened({}, { kind: 'operator', planned: true });
    expect(planned.subject).toMatch(/^PAUSED AS PLANNED: key-domain:vault-a/);
    expect(planned.severity).toBe('notice');
    const limit = opened({}, { kind: 'limit' });
    expect(limit.severity).toBe('page');
    expect(limit.body).not.toContain('Its wallet and its destination');
  });

  test('behavior: H52: an overlay says how much of each limit is left, and stops nothing', () => {
    expect(opened({ overlay: 1_050 })).toEqual({
      subject:
        'TIGHTENED key-domain:vault-a to 10.5% of its limits; run: breakwater incident 01HA4Q2V7N9K3M5P8R1S',
      severity: 'page',
      body: [
        'TIGHTENED key-domain:vault-a at 2023-09-12T13:21:00.000Z: every limit allows 10.5% of itself',
        'Cause: outflow of 4,947 ETH',
        'A resume of incident 01HA4Q2V7N9K3M5P8R1S lifts it.',
      ].join('\n'),
    });
  });

  test('behavior: a scope that is cut keeps both ends and fills the line', () => {
    const name = `wallet:${'a'.repeat(300)}z`;
    const closed = { atMs: T0_MS, actor: 'alice', reason: 'checked' };
    const resuming = { atMs: T0_MS, actors: ['alice'], reason: 'checked', epoch: 1 };
    const cause = { ...incident.first, kind: 'limit' } as const;
    const pages = [
      opened({ scope: name }),
      opened({ scope: name, overlay: 1 }),
      Page.joined({ ...incident, scope: name }, cause),
      Page.openedAgain({ ...incident, scope: name }, cause),
      Page.closed({ ...incident, scope: name, state: 'closed', closed }),
      Page.resuming({ ...incident, scope: name, resuming }),
    ];
    for (const { subject } of pages) {
      expect(subject).toHaveLength(Page.SUBJECT_MAX);
      expect(subject).toMatch(/ wallet:a+…a+z/);
    }
  });
});

describe('openedAgain', () => {
  const cause = { ...incident.first, kind: 'limit', text: 'too much', reopened: 2 } as const;

  test('default', () => {
    expect(Page.openedAgain(incident, cause)).toEqual({
      subject:
        'OPENED AGAIN key-domain:vault-a: limit $7,420,500; run: breakwater incident 01HA4Q2V7N9K3M5P8R1S',
      severity: 'page',
      body: [
        'OPENED AGAIN key-domain:vault-a at 2023-09-12T13:21:00.000Z, while it was resuming',
        'Cause: too much',
        'Opened first because: outflow of 4,947 ETH',
        'Nothing flows in this scope. What was agreed on to resume it is void: epoch 2 needs a resume of its own.',
        'Look: breakwater incident 01HA4Q2V7N9K3M5P8R1S',
        'Event outflow:eip155:1:0xa:top',
      ].join('\n'),
    });
  });

  test('behavior: of nothing no amount is said, here and where a cause joins', () => {
    const none = { ...cause, notional: 0n };
    expect(Page.openedAgain(incident, none).subject).toContain('vault-a: limit; run:');
    expect(Page.joined(incident, none).subject).toContain('already paused; run:');
  });
});

describe('resuming', () => {
  const resuming = { atMs: T0_MS, actors: ['alice', 'bob'], reason: 'checked', epoch: 1 };

  test('default: who agreed, and why', () => {
    expect(Page.resuming({ ...incident, resuming })).toEqual({
      subject: 'RESUMING key-domain:vault-a by alice, bob',
      severity: 'notice',
      body: 'RESUMING key-domain:vault-a by alice, bob\nIn steps; see: breakwater status. Incident 01HA4Q2V7N9K3M5P8R1S. Reason: checked',
    });
  });

  test('behavior: H44: one that says nothing of it', () => {
    const { subject, body } = Page.resuming(incident);
    expect(subject).toBe('RESUMING key-domain:vault-a by unknown');
    expect(body).toContain('Reason: none given');
    const again = Page.closed({ ...incident, state: 'closed', drill: true });
    expect(again.subject).toBe('DRILL RESUMED key-domain:vault-a by unknown');
    expect(again.body).toContain('Reason: none given');
  });
});

describe('audit', () => {
  test('default', () => {
    expect(Page.audit(['3 wait', 'no copy'])).toEqual({
      subject: 'AUDIT chain is behind: 3 wait; no copy',
      severity: 'notice',
      body: [
        'AUDIT chain is behind: 3 wait; no copy',
        'Nothing is lost: entries wait in the Control table and are appended, signed and copied with the next change.',
        'Look: breakwater audit check',
      ].join('\n'),
    });
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

describe('alert, by kind', () => {
  test('behavior: H83: what somebody waits for wakes people, what is only known does not', () => {
    const severity = (kind: Parameters<typeof Page.alert>[0]['kind']) =>
      Page.alert({ alertId: 'a', kind, atMs: T0_MS, scope: 'global', rowId: 'r', text: 't' })
        .severity;
    for (const kind of ['refused', 'held', 'panic', 'drill'] as const)
      expect([kind, severity(kind)]).toEqual([kind, 'page']);
    for (const kind of ['warn', 'breach', 'step', 'would-trip', 'unseen'] as const)
      expect([kind, severity(kind)]).toEqual([kind, 'notice']);
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
