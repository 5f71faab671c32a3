import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../lib/adapters/policy-file/parse.ts';
import { diffPolicies } from '../../lib/cli/policy-diff.ts';

const SOURCE = readFileSync('examples/policies/starter.yaml', 'utf8');
const POLICY = parsePolicy(SOURCE);

function edited(from: string | RegExp, to: string) {
  const source = SOURCE.replace(from, to);
  expect(source).not.toBe(SOURCE);
  return parsePolicy(source);
}

describe('diffPolicies', () => {
  test('default', () => {
    expect(diffPolicies(POLICY, edited('limit: "5000000"', 'limit: "5000001"'))).toEqual([
      {
        what: 'limit all-hour',
        field: 'limit',
        before: '$5,000,000',
        after: '$5,000,001',
        effect: 'looser',
      },
    ]);
  });

  test('behavior: the same rules in another layout', () => {
    expect(diffPolicies(POLICY, edited('# What may leave.', '# Other words.'))).toEqual([]);
  });

  test.each([
    { to: 'limit: "4999999"', from: 'limit: "5000000"', effect: 'tighter' },
    { to: 'window: 15m', from: 'window: 5m', effect: 'tighter' },
    { to: 'window: 1m', from: 'window: 5m', effect: 'looser' },
    { to: '"1000000"\n    action: alert', from: '"1000000"\n    action: pause', effect: 'looser' },
    { to: 'mode: enforce', from: 'mode: shadow', effect: 'tighter' },
    { to: 'resume: quorum', from: 'resume: trial', effect: 'tighter' },
    { to: 'floorPriceUsd: "30001"', from: 'floorPriceUsd: "30000"', effect: 'tighter' },
    { to: 'floorPriceUsd: "29999"', from: 'floorPriceUsd: "30000"', effect: 'looser' },
    { to: 'wallet: { withdrawal: allow', from: 'wallet: { withdrawal: block', effect: 'looser' },
    { to: 'unmatched: { scope: wallet', from: 'unmatched: { scope: key-domain', effect: 'other' },
    {
      to: 'keyDomain: hot-vault\n    admission: 45s\n',
      from: 'keyDomain: hot-vault\n',
      effect: 'other',
    },
    { to: 'wallet: "eth-hot-*"', from: 'wallet: "eth-*"', effect: 'other' },
    { to: '{ id: "eip155:10", name: OP }\n  - { id: "b', from: '{ id: "b', effect: 'looser' },
    { to: '', from: / {2}- id: all-count[^#]*/, effect: 'looser' },
  ])('behavior: $effect: $to', ({ from, to, effect }) => {
    expect(diffPolicies(POLICY, edited(from, to)).map((change) => change.effect)).toEqual([effect]);
  });

  test.each([
    { from: '', to: 'matching: { grace: 30s }', effect: 'looser' },
    { from: 'matching: { grace: 30s }', to: 'matching: { grace: 20s }', effect: 'tighter' },
    { from: '', to: 'matching: { deductedFeeMaxUsd: "0.000001" }', effect: 'looser' },
    { from: '', to: 'matching: { unseen: 25h }', effect: 'looser' },
    { from: '', to: `own: ["eip155:1:0x${'bb'.repeat(20)}"]`, effect: 'looser' },
    { from: `own: ["eip155:1:0x${'bb'.repeat(20)}"]`, to: '', effect: 'tighter' },
  ])('behavior: $effect: $from → $to', ({ from, to, effect }) => {
    const before = parsePolicy(`${SOURCE}\n${from}\n`);
    const after = parsePolicy(`${SOURCE}\n${to}\n`);
    expect(diffPolicies(before, after).map((change) => change.effect)).toEqual([effect]);
  });

  test.each([
    { from: undefined, to: { confirmations: 0, blindAfterMs: 120_000 }, effect: 'tighter' },
    { from: { confirmations: 0, blindAfterMs: 120_000 }, to: undefined, effect: 'looser' },
    {
      from: { confirmations: 0, blindAfterMs: 120_000 },
      to: { confirmations: 0, blindAfterMs: 121_000 },
      effect: 'looser',
    },
    {
      from: { confirmations: 0, blindAfterMs: 120_000 },
      to: { confirmations: 12, blindAfterMs: 120_000 },
      effect: 'other',
    },
  ])('behavior: watch $from → $to: $effect', ({ from, to, effect }) => {
    const [first, ...rest] = POLICY.chains;
    const watched = (watch: typeof from) => ({
      ...POLICY,
      chains: [{ ...first!, watch }, ...rest],
    });
    const changes = diffPolicies(watched(from), watched(to));
    expect(changes.map((change) => [change.field, change.effect])).toEqual([['watch', effect]]);
  });

  test('behavior: a chain whose outflows others tell: other', () => {
    const [first, ...rest] = POLICY.chains;
    const chains = [{ ...first!, observed: true as const }, ...rest];
    const changes = diffPolicies(POLICY, { ...POLICY, chains });
    expect(changes.map((change) => [change.field, change.effect])).toEqual([['observed', 'other']]);
  });

  test('behavior: what comes before a theft is only told: looser', () => {
    const risks = { ...POLICY, unmatched: { ...POLICY.unmatched, risks: 'alert' as const } };
    expect(diffPolicies(POLICY, risks)).toEqual([
      { what: 'policy', field: 'risks', before: 'pause', after: 'alert', effect: 'looser' },
    ]);
  });

  test('behavior: what is added one way is removed the other way', () => {
    const smaller = edited(/ {2}- id: all-count[^#]*/, '');
    expect(diffPolicies(smaller, POLICY)).toMatchInlineSnapshot(`
      [
        {
          "after": "scope global, metric count, window 15m, limit 250, action alert, mode enforce",
          "effect": "tighter",
          "what": "limit all-count",
        },
      ]
    `);
  });
});
