/**
 * Every parser at an edge against garbage and against good input that was changed somewhere: it ends,
 * with a value or with an error of its own that says what is wrong. Nothing here can count anything:
 * a parser has no store.
 */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromCompiled, toCompiled } from '../../lib/adapters/compiled-policy.ts';
import { compilePolicy } from '../../lib/adapters/policy-file/compile.ts';
import { readGeneric } from '../../lib/adapters/webhook/generic.ts';
import * as CommandWire from '../../lib/adapters/wire/command.ts';
import { parseEnvelope } from '../../lib/adapters/wire/event.ts';
import { parseAccount, parseAsset } from '../../lib/adapters/wire/identifier.ts';
import * as ReserveWire from '../../lib/adapters/wire/reserve.ts';
import { parseScopeKey } from '../../lib/adapters/wire/scope-key.ts';
import { readEvents } from '../../lib/cli/read-events.ts';
import { parseClaims } from '../../lib/client/admission-claims.ts';
import * as Csv from '../../lib/local/replay/csv.ts';
import { delivery } from '../adapters/webhook/deliveries.ts';
import * as Build from '../support/builders.ts';

const RUNS = 400;
/** Longer than any parser may take for a text of this size. */
const SLOW_MS = 1_000;
/** What a mistake of ours throws, and no parser may. */
const OURS = ['TypeError', 'RangeError', 'ReferenceError', 'EvalError'];

const TRANSFER = {
  account: Build.HOT_1,
  asset: Build.USDC,
  destination: Build.CUSTOMER,
  amount: '1000000',
};
const REPORT = JSON.stringify({
  'detail-type': 'withdrawal',
  detail: { withdrawalId: 'w-1', ...TRANSFER },
});
const POLICY = toCompiled(Build.policy({ limits: [Build.limit()] }));
const SOURCE = [
  'version: 1',
  'name: fuzz',
  'mode: enforce',
  'chains: { "eip155:1": { name: Ethereum } }',
  'limits:',
  '  - { id: a, scope: wallet, metric: notional, window: 1h, allowed: 10 USD, action: pause }',
].join('\n');

/** Each parser with something that it reads, or nearly. */
const PARSERS: readonly (readonly [string, string, (text: string) => unknown])[] = [
  ['events', REPORT, parseEnvelope],
  [
    'commands',
    '{"kind":"pause","commandId":"c-1","scope":"wallet:hot-1","reason":"now"}',
    CommandWire.parseRequest,
  ],
  [
    'reservations',
    JSON.stringify({ withdrawals: [{ withdrawalId: 'w-1', ...TRANSFER }] }),
    ReserveWire.parseRequest,
  ],
  ['policies', SOURCE, compilePolicy],
  ['compiled policies', POLICY, fromCompiled],
  [
    'generic webhooks',
    JSON.stringify({ events: [TRANSFER] }),
    (text) => readGeneric(Build.policy(), delivery(text, {})),
  ],
  [
    'admissions',
    '{"iss":"a","sub":"w-1","exp":1}',
    (text) => parseClaims(new TextEncoder().encode(text)),
  ],
  ['CSV', 'at,amount\n2023,"1"\n', (text) => Csv.parse(text, ['at', 'amount'])],
  ['event files', `${REPORT}\n${REPORT}\n`, readEvents],
  ['accounts', Build.HOT_1, parseAccount],
  ['assets', Build.USDC, parseAsset],
  ['scopes', 'wallet-asset:hot-1|eip155:1/slip44:60', parseScopeKey],
];

/** Pieces that have broken parsers before. */
const PIECES = fc.constantFrom(
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\n',
  '\u0000',
  '\ud800',
  '__proto__',
  'null',
  'true',
  '-1',
  '1e309',
  '9'.repeat(80),
  '0x',
  '*a',
  '&a [*a,*a]',
  '<<: *a',
  'ﬁ',
  ' '.repeat(200),
);

/** A good text with some of it cut out and something put there. */
function changed(good: string): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat(good.length),
    cut: fc.nat(12),
    put: fc.oneof(PIECES, fc.string({ maxLength: 8, unit: 'binary' })),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) =>
      changes.reduce(
        (text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut),
        good,
      ),
    );
}

describe.each(PARSERS)('%s', (_, good, parse) => {
  const survive = (text: string): void => {
    const startedMs = performance.now();
    try {
      parse(text);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      const { name, message } = error as Error;
      if (OURS.includes(name)) throw error;
      expect(message.length).toBeGreaterThan(0);
      expect(message.length).toBeLessThan(5_000);
    }
    expect(performance.now() - startedMs).toBeLessThan(SLOW_MS);
  };

  test('behavior: generated garbage ends in an error of its own', async () => {
    const garbage = fc.oneof(
      fc.string({ maxLength: 300, unit: 'binary' }),
      fc.json({ maxDepth: 5 }),
      fc.array(PIECES, { maxLength: 20 }).map((pieces) => pieces.join('')),
    );
    await fc.assert(fc.property(garbage, survive), { numRuns: RUNS });
  });

  test('behavior: good input that was changed ends in a value or an error of its own', async () => {
    await fc.assert(fc.property(changed(good), survive), { numRuns: RUNS });
  });

  test('behavior: very deep and very long input ends, too', () => {
    for (const text of ['['.repeat(20_000), '{"a":'.repeat(20_000), '-'.repeat(200_000)]) {
      survive(text);
    }
  });
});
