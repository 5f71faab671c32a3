import { describe, expect, test } from 'vitest';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Doubt from '../../lib/domain/ceremony-doubt.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Proposal from '../../lib/domain/proposal.ts';
import type * as TypedData from '../../lib/domain/typed-data.ts';
import * as Build from '../support/builders.ts';
import { approval, context, item, loaded, policy, QUORUM, T0_MS } from '../support/builders.ts';

const SCOPE = 'wallet:hot-1';
const T0 = '2023-09-12T13:21:00.000Z';
const hashA = 'a'.repeat(64);
const hashB = 'b'.repeat(64);

const resume: Proposal.Action = {
  kind: 'resume',
  order: {
    scope: SCOPE,
    incidentId: 'INC1',
    epoch: 2,
    steps: [],
    budget: 0n,
    rebase: [],
    also: [],
  },
};
const change = (revokes: boolean): Proposal.Action => ({
  kind: 'policy',
  hash: hashB,
  revokes,
  changes: [],
  delayMs: 0,
});

function proposal(overrides: Partial<Proposal.Proposal> = {}): Proposal.Proposal {
  return Build.proposal({ action: resume, policyHash: hashA, reason: 'safe', ...overrides });
}

function person(name: string, ...roles: Policy.Role[]): Policy.Operator {
  return { name, address: `0x${name}`, roles: roles.length > 0 ? roles : ['resume'] };
}

function draft(overrides: Parameters<typeof item>[0]) {
  return Draft.start(context(), loaded({ items: { [SCOPE]: item(overrides) } }));
}

const open: Breaker.Breaker = {
  state: 'open',
  epoch: 2,
  incidentId: 'INC1',
  openedAtMs: T0_MS,
  causes: 1,
};

describe('roundOver', () => {
  test('default', () => {
    expect(Doubt.roundOver('P1')).toEqual({
      kind: 'refused',
      code: 'wrong-message',
      why: 'proposal P1 is in another round now; look at it and sign again',
    });
  });
});

describe('whyOther', () => {
  const asked: TypedData.TypedData = {
    domain: { name: 'Breakwater', version: '1', salt: '0x01' },
    types: {},
    primaryType: 'Resume',
    message: { incident: 'INC1', epoch: 2, policyHash: hashA, reason: 'safe' },
  };
  const other = (overrides: Partial<TypedData.TypedData>) =>
    Doubt.whyOther(asked, { ...asked, ...overrides });
  const said = (message: TypedData.TypedData['message']) =>
    other({ message: { ...asked.message, ...message } });

  test('default: the same, also where a number is written as text', () => {
    expect(other({})).toBeUndefined();
    expect(said({ epoch: '2' })).toBeUndefined();
  });

  test('error: H80: another stack, another kind of message', () => {
    expect(other({ domain: { ...asked.domain, salt: '0x02' } })).toEqual(
      Doubt.refuse('wrong-stack', 'it was signed for another stack'),
    );
    expect(other({ primaryType: 'Veto' })).toEqual(
      Doubt.refuse('wrong-message', 'it was signed as Veto, not as Resume'),
    );
  });

  test.each([
    [
      { incident: 'INC2' },
      'wrong-incident',
      'incident: "INC2" was signed, and the proposal says "INC1"',
    ],
    [{ epoch: 3 }, 'wrong-epoch', 'epoch: "3" was signed, and the proposal says "2"'],
    [{ reason: 'no' }, 'wrong-message', 'reason: "no" was signed, and the proposal says "safe"'],
    [{ more: 'x' }, 'wrong-message', 'more: "x" was signed, and the proposal says "undefined"'],
  ] as const)('error: H80: %j', (message, code, why) => {
    expect(said(message)).toEqual(Doubt.refuse(code, why));
    expect(said({ policyHash: hashB })?.code).toBe('wrong-policy');
  });
});

describe('whyEnded', () => {
  const why = (overrides: Partial<Proposal.Proposal>, atMs = T0_MS) =>
    Doubt.whyEnded(atMs, proposal(overrides));

  test('default: one that can be signed, until its very end', () => {
    expect(why({})).toBeUndefined();
    expect(why({}, T0_MS + 999)).toBeUndefined();
    expect(why({}, T0_MS + 1_000)).toEqual(
      Doubt.refuse('expired', 'proposal P1 could be signed until 2023-09-12T13:21:01.000Z'),
    );
  });

  test('behavior: one that is approved does not expire while it waits', () => {
    expect(why({ state: 'approved' }, T0_MS + 5_000)).toBeUndefined();
  });

  test('error: H80: carried out, with and without its time', () => {
    const ended = { atMs: T0_MS, why: 'carried out' };
    expect(why({ state: 'done', ended })).toEqual(
      Doubt.refuse('replayed', `proposal P1 was carried out at ${T0}, and acts once`),
    );
    expect(why({ state: 'done' })?.why).toBe('proposal P1 was carried out, and acts once');
  });

  test('error: void, with its reason', () => {
    expect(why({ state: 'void', ended: { atMs: T0_MS, why: 'too late' } })).toEqual(
      Doubt.refuse('void', 'proposal P1 is void: too late'),
    );
    expect(why({ state: 'void' })?.code).toBe('void');
  });

  test('error: as many signatures and vetoes as are kept', () => {
    const vetoes = [{ ...approval('bob'), reason: 'no' }];
    const approvals = (length: number) => Array.from({ length }, () => approval('alice'));
    const most = Proposal.SIGNATURES_MAX - 1;
    expect(why({ approvals: approvals(most - 1), vetoes })).toBeUndefined();
    expect(why({ approvals: approvals(most), vetoes })).toEqual(
      Doubt.refuse('void', 'proposal P1 has 50 signatures; make a new one'),
    );
  });
});

describe('overText', () => {
  const now = { policyHash: hashA, nowMs: T0_MS };

  test('default: nothing while it can be signed', () => {
    expect(Doubt.overText(proposal(), now)).toBeUndefined();
  });

  test('behavior: its end, or another policy', () => {
    expect(Doubt.overText(proposal(), { ...now, nowMs: T0_MS + 1_000 })).toContain(
      'could be signed until',
    );
    expect(Doubt.overText(proposal(), { ...now, policyHash: hashB })).toBe(
      'another policy is in force now',
    );
  });
});

describe('whyStale', () => {
  const known = { policyHash: hashA };

  test('default: the same policy, the same opening', () => {
    expect(Doubt.whyStale(draft({ breaker: open }), proposal(), known)).toBeUndefined();
  });

  test('error: another policy, named by the start of its hash', () => {
    expect(Doubt.whyStale(draft({ breaker: open }), proposal(), { policyHash: hashB })).toEqual(
      Doubt.refuse(
        'wrong-policy',
        'it was made under policy aaaaaaaaaaaa, and bbbbbbbbbbbb is in force now; make a new one',
      ),
    );
  });

  test('error: H80: a breaker that is closed, or held by another incident', () => {
    const refused = Doubt.refuse(
      'wrong-incident',
      'the breaker of wallet:hot-1 is not held by incident INC1',
    );
    expect(Doubt.whyStale(draft({}), proposal(), known)).toEqual(refused);
    const other = { ...open, incidentId: 'INC9' };
    expect(Doubt.whyStale(draft({ breaker: other }), proposal(), known)).toEqual(refused);
  });

  test('error: H80: a breaker that has opened again since', () => {
    expect(Doubt.whyStale(draft({ breaker: { ...open, epoch: 3 } }), proposal(), known)).toEqual(
      Doubt.refuse(
        'wrong-epoch',
        'it is about opening 2 of wallet:hot-1, which has opened again since (3); make a new one',
      ),
    );
  });

  test('behavior: an overlay of the same incident is enough, one of another is not', () => {
    const overlay = (incidentId: string) =>
      ({ shareBps: 1, incidentId, sinceMs: T0_MS, actor: 'a' }) as unknown as NonNullable<
        ReturnType<typeof item>['overlay']
      >;
    expect(Doubt.whyStale(draft({ overlay: overlay('INC1') }), proposal(), known)).toBeUndefined();
    expect(Doubt.whyStale(draft({ overlay: overlay('INC2') }), proposal(), known)?.code).toBe(
      'wrong-incident',
    );
  });

  test('behavior: what is no resume needs no breaker', () => {
    const maintenance = proposal({ action: { kind: 'maintenance', scope: SCOPE } });
    expect(Doubt.whyStale(draft({}), maintenance, known)).toBeUndefined();
  });
});

describe('whyNotThem', () => {
  const [alice, bob] = [person('alice'), person('bob')];
  const rules = (pauserCounts = false) =>
    policy({
      operators: [alice, bob],
      resume: { ...QUORUM, kind: 'quorum', quorum: 2, pauserCounts },
    });
  const why = (
    made: Proposal.Proposal,
    operator = alice,
    more: { pausers?: string[]; under?: Policy.Policy } = {},
  ) => Doubt.whyNotThem(more.under ?? rules(), made, { operator, pausers: more.pausers ?? [] });

  test('default', () => {
    expect(why(proposal())).toBeUndefined();
    expect(why(proposal({ approvals: [approval('bob')] }))).toBeUndefined();
  });

  test('error: no right to resume', () => {
    expect(why(proposal(), person('carol', 'pause', 'panic'))).toEqual(
      Doubt.refuse('no-right', 'carol may pause and panic, and not resume'),
    );
  });

  test('error: H80: whoever objected, in any round', () => {
    const vetoes = [{ ...approval('alice', 1), reason: 'no' }];
    expect(why(proposal({ vetoes, round: 2 }))).toEqual(
      Doubt.refuse('vetoed-it', 'alice objected to this proposal; others have to sign it'),
    );
    expect(why(proposal({ vetoes, round: 2 }), bob)).toBeUndefined();
  });

  test('error: whoever paused it by hand, in a resume, unless the policy counts them', () => {
    const pausers = ['operator:alice'];
    expect(why(proposal(), alice, { pausers })).toEqual(
      Doubt.refuse('paused-it', 'alice paused it by hand, and does not count towards its resume'),
    );
    expect(why(proposal(), bob, { pausers })).toBeUndefined();
    expect(why(proposal(), alice, { pausers, under: rules(true) })).toBeUndefined();
    const trial = policy({ operators: [alice, bob] });
    expect(why(proposal(), alice, { pausers, under: trial })).toBeUndefined();
    expect(why(proposal({ action: change(false) }), alice, { pausers })).toBeUndefined();
  });

  test('error: H80: twice in one round, and again in the next', () => {
    const approvals = [approval('alice')];
    expect(why(proposal({ approvals }))).toEqual(
      Doubt.refuse('duplicate', 'alice has signed this proposal already'),
    );
    expect(why(proposal({ approvals, round: 2 }))).toBeUndefined();
  });

  test('error: enough have signed', () => {
    expect(why(proposal({ state: 'approved', dueAtMs: T0_MS }))).toEqual(
      Doubt.refuse('duplicate', `it has enough signatures and waits until ${T0}`),
    );
  });
});

describe('whyNoVeto', () => {
  test('default: any role but panic alone', () => {
    expect(Doubt.whyNoVeto(proposal(), person('alice', 'pause'))).toBeUndefined();
    expect(Doubt.whyNoVeto(proposal(), person('alice', 'panic', 'pause'))).toBeUndefined();
    expect(Doubt.whyNoVeto(proposal(), person('alice', 'panic'))).toEqual(
      Doubt.refuse('no-right', 'alice has a panic key, which can only stop and tighten'),
    );
  });

  test('error: H80: what only takes keys away, and nothing else', () => {
    expect(Doubt.whyNoVeto(proposal({ action: change(true) }), person('alice'))).toEqual(
      Doubt.refuse('not-possible', 'what only takes keys away cannot be objected to'),
    );
    expect(Doubt.whyNoVeto(proposal({ action: change(false) }), person('alice'))).toBeUndefined();
  });

  test('error: twice', () => {
    const vetoes = [{ ...approval('bob'), reason: 'no' }];
    expect(Doubt.whyNoVeto(proposal({ vetoes }), person('alice'))).toBeUndefined();
    expect(Doubt.whyNoVeto(proposal({ vetoes }), person('bob'))).toEqual(
      Doubt.refuse('duplicate', 'bob has objected to this proposal already'),
    );
  });
});

describe('stranger', () => {
  test('default', () => {
    const { code, why } = Doubt.stranger('0xabc');
    expect(code).toBe('not-an-operator');
    expect(why).toMatch(/^0xabc is no operator of the policy in force/);
  });
});

describe('unknown', () => {
  test('default', () => {
    expect(Doubt.unknown('P9')).toEqual(
      Doubt.refuse('unknown-proposal', 'there is no proposal P9'),
    );
  });
});
