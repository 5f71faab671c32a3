import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromCompiled, toCompiled } from '../../../lib/adapters/compiled-policy.ts';
import { compilePolicy } from '../../../lib/adapters/policy-file/compile.ts';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import { InvalidPolicyError } from '../../../lib/adapters/policy-file/problem.ts';
import { source } from './source.ts';

const EXAMPLES = readdirSync('examples/policies').filter((name) => name.endsWith('.yaml'));

/** A policy with this many assets, each with an address as its id. */
function withAssets(count: number): string {
  const assets = Array.from(
    { length: count },
    (_, number) =>
      `  - { id: "eip155:1/erc20:0x${number.toString(16).padStart(40, '0')}", symbol: T, decimals: 18, floorPriceUsd: "1" }`,
  );
  return source({ assets: `assets:\n${assets.join('\n')}` });
}

describe('compilePolicy', () => {
  test.each(EXAMPLES)('default: %s', (name) => {
    const text = readFileSync(`examples/policies/${name}`, 'utf8');
    const { policy, compiled } = compilePolicy(text);
    expect(policy).toEqual(parsePolicy(text));
    expect(fromCompiled(compiled)).toEqual(policy);
    expect(compiled).toBe(toCompiled(policy));
  });

  test('behavior: comments, layout and the order of fields do not show', () => {
    const text = source();
    const other = `# A comment.\n${text.split('\n').filter(Boolean).reverse().join('\n\n')}\n`;
    expect(compilePolicy(other).compiled).toBe(compilePolicy(text).compiled);
  });

  test('error: a file with a mistake, as the parser tells it', () => {
    expect(() => compilePolicy(source({ mode: 'mode: off' }))).toThrow(InvalidPolicyError);
  });

  test('error: H42: more than one item of the table can hold, though the file alone would fit', () => {
    expect(compilePolicy(withAssets(1_000)).policy.assets).toHaveLength(1_000);
    expect(() => compilePolicy(withAssets(1_700))).toThrow('that can be stored');
  });
});
