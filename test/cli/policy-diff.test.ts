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
    ['limit lowered', 'limit: "5000000"', 'limit: "4999999"', 'tighter'],
    ['window longer', 'window: 5m', 'window: 15m', 'tighter'],
    ['window shorter', 'window: 5m', 'window: 1m', 'looser'],
    ['pause to alert', 'limit: "1000000"\n    action: pause', 'limit: "1000000"\n    action: alert', 'looser'],
    ['policy enforced', 'mode: shadow', 'mode: enforce', 'tighter'],
    ['quorum', 'resume: trial', 'resume: quorum', 'tighter'],
    ['price raised', 'floorPriceUsd: "30000"', 'floorPriceUsd: "30001"', 'tighter'],
    ['price lowered', 'floorPriceUsd: "30000"', 'floorPriceUsd: "29999"', 'looser'],
    ['unknown allowed', 'wallet: { withdrawal: block', 'wallet: { withdrawal: allow', 'looser'],
    ['other scope', 'unmatched: { scope: key-domain }', 'unmatched: { scope: wallet }', 'other'],
    ['other pattern', 'wallet: "eth-*"', 'wallet: "eth-hot-*"', 'other'],
    ['chain known', 'name: Bitcoin }', 'name: Bitcoin }\n  - { id: "eip155:10", name: OP }', 'looser'],
    ['limit gone', /  - id: all-count[^#]*/, '', 'looser'],
  ])('behavior: %s', (_name, from, to, effect) => {
    expect(diffPolicies(POLICY, edited(from, to)).map((change) => change.effect)).toEqual([effect]);
  });

  test('behavior: what is added one way is removed the other way', () => {
    const smaller = edited(/  - id: all-count[^#]*/, '');
    expect(diffPolicies(smaller, POLICY)).toMatchInlineSnapshot();
  });
});
