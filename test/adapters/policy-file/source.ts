import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import { InvalidPolicyError, problemText } from '../../../lib/adapters/policy-file/problem.ts';

/** Sections of a small policy that is right, line by line; a test replaces the one it is about. */
const SECTIONS = {
  version: 'version: 1',
  name: 'name: small',
  mode: 'mode: enforce',
  resume: 'resume: trial',
  chains: 'chains: [{ id: "eip155:1", name: Ethereum }, { id: "eip155:*", name: EVM }]',
  assets:
    'assets: [{ id: "eip155:1/slip44:60", symbol: ETH, decimals: 18, floorPriceUsd: 1500 }, { id: "eip155:*/slip44:60", symbol: ETH, decimals: 18 }]',
  wallets: `wallets: [{ name: eth-hot-1, keyDomain: vault, addresses: ["eip155:1:0x${'11'.repeat(20)}"] }]`,
  limits:
    'limits: [{ id: hour, scope: wallet, metric: notional, window: 1h, limit: 2500000, action: pause }]',
  unknown: '# unknown',
  timing: '# timing',
  more: '# more',
};

/** Text of the small policy with some sections replaced. Section n stands on line n. */
export function source(sections: Partial<Record<keyof typeof SECTIONS, string>> = {}): string {
  return Object.values({ ...SECTIONS, ...sections }).join('\n');
}

/** Text of the small policy with this limit as its only one, on line 8. */
export function withLimit(fields: string): string {
  return source({ limits: `limits: [{ ${fields} }]` });
}

/** What parsing says: every problem on a line of its own, or `ok`. */
export function problems(text: string): string {
  try {
    parsePolicy(text);
    return 'ok';
  } catch (error) {
    if (!(error instanceof InvalidPolicyError)) throw error;
    return error.problems.map(problemText).join('\n');
  }
}

/** What parsing says of each of some texts, under its name. */
export function told(cases: Readonly<Record<string, string>>): string {
  return Object.entries(cases)
    .map(([name, text]) => `${name}:\n${problems(text)}`)
    .join('\n');
}
