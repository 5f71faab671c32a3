import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../lib/adapters/policy-file/parse.ts';
import { diffPolicies } from '../../lib/cli/policy-diff.ts';
import type { Policy } from '../../lib/domain/policy.ts';
import { RETIRED_MS } from '../../lib/domain/retired.ts';
import { NOW_MS } from './answers.ts';

const STARTER = parsePolicy(readFileSync('examples/policies/starter.yaml', 'utf8'));
const ARMED = parsePolicy(readFileSync('examples/policies/quorum.yaml', 'utf8'));

/** The first limit allows so many micro-USD. */
function allowing(policy: Policy, allowed: bigint): Policy {
  const [first, ...rest] = policy.limits;
  return { ...policy, limits: [{ ...first!, allowed }, ...rest] };
}

function outlookOf(before: Policy, after: Policy) {
  return diffPolicies({ before, after }, NOW_MS).outlook;
}

const LOOSER = 5_000_001_000_000n;
const TIGHTER = 4_999_999_000_000n;
const fewer = (policy: Policy): Policy => ({
  ...policy,
  operators: policy.operators.filter(({ name }) => name !== 'monitor'),
});

describe('diffPolicies', () => {
  test('default', () => {
    const both = { before: ARMED, after: allowing(ARMED, LOOSER) };
    expect(diffPolicies(both, NOW_MS)).toEqual({
      changes: [
        {
          what: 'limit all-hour',
          field: 'limit',
          before: '$5,000,000',
          after: '$5,000,001',
          direction: 'loosens',
          why: 'more may leave',
        },
      ],
      direction: 'loosens',
      outlook: { kind: 'quorum', quorum: 2, delayMs: 86_400_000 },
    });
  });

  test('behavior: the same rules apply at once', () => {
    expect(diffPolicies({ before: ARMED, after: ARMED }, NOW_MS)).toEqual({
      changes: [],
      direction: 'neutral',
      outlook: { kind: 'at-once', trial: false },
    });
  });

  test('behavior: what tightens applies at once', () => {
    const after = allowing(ARMED, TIGHTER);
    expect(outlookOf(ARMED, after)).toEqual({ kind: 'at-once', trial: false });
  });

  test('behavior: what takes rights from people needs the quorum and no delay', () => {
    expect(outlookOf(ARMED, fewer(ARMED))).toEqual({ kind: 'quorum', quorum: 2, delayMs: 0 });
  });

  test('behavior: what does both waits', () => {
    const outlook = outlookOf(ARMED, fewer(allowing(ARMED, LOOSER)));
    expect(outlook).toMatchObject({ kind: 'quorum', delayMs: 86_400_000 });
  });

  test('behavior: in a trial everything applies at once', () => {
    const outlook = outlookOf(STARTER, allowing(STARTER, LOOSER));
    expect(outlook).toEqual({ kind: 'at-once', trial: true });
  });

  test.each([
    ['with a quorum', ARMED],
    ['in a trial', STARTER],
  ])('error: H46: an address that would get another wallet, %s', (_how, before) => {
    const [first, ...rest] = before.wallets;
    const after = { ...before, wallets: [{ ...first!, name: 'eth-hot-9' }, ...rest] };
    expect(outlookOf(before, after)).toEqual({
      kind: 'refused',
      why: expect.stringContaining('wallets.eth-hot-9.addresses: eip155:1:0x1111'),
    });
  });

  test.each([
    [RETIRED_MS - 1, 'refused'],
    [RETIRED_MS, 'quorum'],
  ])('behavior: an address that went %i ms ago and comes back elsewhere: %s', (agoMs, kind) => {
    const [first, ...rest] = ARMED.wallets;
    const [address] = first!.addresses;
    const { keyDomain } = first!;
    const gone = { kind: 'address', address: address!, wallet: 'old', keyDomain } as const;
    const before = {
      ...ARMED,
      wallets: rest,
      retired: [{ ...gone, lastNamedMs: NOW_MS - agoMs }],
    };
    expect(outlookOf(before, ARMED).kind).toBe(kind);
  });
});
