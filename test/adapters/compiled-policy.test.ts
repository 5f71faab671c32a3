import { readdirSync, readFileSync } from 'node:fs';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  fromCompiled,
  InvalidCompiledPolicyError,
  toCompiled,
} from '../../lib/adapters/compiled-policy.ts';
import { parsePolicy } from '../../lib/adapters/policy-file/parse.ts';
import type * as Breaker from '../../lib/domain/breaker.ts';
import type { AccountId, AssetId } from '../../lib/domain/caip.ts';
import * as Money from '../../lib/domain/money.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Scope from '../../lib/domain/scope.ts';
import { DAY_MS, ETH, HOT_1, limit, policy } from '../support/builders.ts';

const EXAMPLES = readdirSync('examples/policies').filter((name) => name.endsWith('.yaml'));

const ms = fc.integer({ min: 0, max: 40 * DAY_MS });
const word = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'a"b\\', 'ü\u2028', '123'));
const units = fc.bigInt({ min: 0n, max: Money.MAX });
const kind = fc.constantFrom(...Scope.KINDS);
const mode = fc.constantFrom('enforce', 'shadow');
const unknownRule = fc.record<Policy.UnknownRule>({
  withdrawal: fc.constantFrom('block', 'hold', 'allow'),
  outflow: fc.constantFrom('pause', 'alert'),
  scope: kind,
});
const asset: fc.Arbitrary<Policy.AssetRule> = fc.record(
  {
    pattern: word,
    sources: fc.array(
      fc.record({
        feed: fc.oneof(
          fc.record({ kind: fc.constant('http' as const), id: word }),
          fc.record({
            kind: fc.constant('chainlink' as const),
            chain: fc.constant('eip155:1' as const),
            address: word,
          }),
        ),
        maxAgeMs: ms,
        keepMs: ms,
      }),
    ),
    symbol: word,
    decimals: fc.integer({ min: 0, max: Money.DECIMALS_MAX }),
    floorPricePicoUsd: units,
    sameAs: fc.constant<AssetId>(ETH),
  },
  { requiredKeys: ['pattern', 'symbol', 'decimals'] },
);
const wallet: fc.Arbitrary<Policy.Wallet> = fc.record(
  {
    name: word,
    keyDomain: word,
    addresses: fc.array(fc.constant<AccountId>(HOT_1)),
    admissionMs: ms,
  },
  { requiredKeys: ['name', 'keyDomain', 'addresses'] },
);
const rule: fc.Arbitrary<Policy.Limit> = fc.record(
  {
    limitId: word,
    scope: kind,
    where: fc.record<Policy.Where>(
      { wallet: word, keyDomain: word, chain: word, asset: word, destination: word, actor: word },
      { requiredKeys: [] },
    ),
    metric: fc.constantFrom('notional', 'amount', 'count', 'assets', 'single'),
    windowMs: ms,
    allowed: units,
    warnBps: fc.integer({ min: 0, max: 10_000 }),
    action: fc.oneof(
      fc.record({ kind: fc.constant('pause'), scope: kind }),
      fc.constantFrom({ kind: 'hold' } as const, { kind: 'alert' } as const),
    ),
    tripOnRefusal: fc.boolean(),
    mode,
  },
  {
    requiredKeys: ['limitId', 'scope', 'where', 'metric', 'windowMs', 'allowed', 'action', 'mode'],
  },
);
const staged = {
  steps: fc.array(
    fc.record<Breaker.Step>(
      {
        shareBps: fc.integer({ min: 1, max: 10_000 }),
        forMs: ms,
        chains: fc.array(word),
        assets: fc.array(word),
      },
      { requiredKeys: ['shareBps', 'forMs'] },
    ),
  ),
  budget: units,
};
const anyPolicy: fc.Arbitrary<Policy.Policy> = fc.record({
  name: word,
  mode,
  chains: fc.array(
    fc.record(
      {
        pattern: word,
        name: word,
        watch: fc.record({ confirmations: ms, blindAfterMs: ms }),
        observed: fc.constant(true as const),
      },
      { requiredKeys: ['pattern', 'name'] },
    ),
  ),
  assets: fc.array(asset),
  wallets: fc.array(wallet),
  limits: fc.array(rule),
  unknown: fc.record({
    wallet: unknownRule,
    asset: unknownRule,
    chain: unknownRule,
    price: unknownRule,
  }),
  unmatched: fc.record({ scope: kind, risks: fc.constantFrom('pause', 'alert') }),
  matching: fc.record({
    deductedFeeMax: fc.bigInt({ min: 0n, max: 10n ** 30n }),
    graceMs: ms,
    unseenMs: ms,
  }),
  own: fc.array(fc.constant('eip155:1:0x1111111111111111111111111111111111111111' as const)),
  conflict: fc.record({ scope: kind }),
  operators: fc.array(
    fc.record<Policy.Operator>(
      {
        name: word,
        address: word,
        roles: fc.array(fc.constantFrom('pause', 'resume', 'panic')),
        contact: word,
        iam: word,
      },
      { requiredKeys: ['name', 'address', 'roles'] },
    ),
  ),
  resume: fc.oneof(
    fc.record({ kind: fc.constant('trial' as const), ...staged }),
    fc.record({
      kind: fc.constant('quorum' as const),
      quorum: fc.integer({ min: 2, max: 20 }),
      pauserCounts: fc.boolean(),
      ...staged,
    }),
  ),
  changes: fc.record({ delayMs: ms }),
  contacts: fc.array(
    fc.record<Policy.Contact>(
      {
        name: word,
        kind: fc.constantFrom('issuer', 'exchange', 'law-enforcement', 'security', 'other'),
        assets: fc.array(word),
        reach: word,
      },
      { requiredKeys: ['name', 'kind', 'reach'] },
    ),
  ),
  outstandingMax: ms,
  overdueMs: ms,
  timing: fc.record({ clockToleranceMs: ms, admissionMs: ms, commitDelayMs: ms, leaseMs: ms }),
});

/** Every field in the opposite order. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, field]) => [key, reversed(field)]));
}

/** The same fields in the order of their names. */
function sorted(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every object in it, each with the way to it. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inner : [value as Record<string, unknown>, ...inner];
}

const FULL = policy({
  limits: [
    limit({
      where: { wallet: 'hot-*', asset: ETH },
      warnBps: 8_000,
      tripOnRefusal: true,
      allowed: Money.MAX,
    }),
    limit({ limitId: 'single', metric: 'single', windowMs: 0, action: { kind: 'hold' } }),
  ],
});

describe('toCompiled', () => {
  test('default', () => {
    const one = policy({ chains: [], assets: [], wallets: [], limits: [limit()] });
    expect(toCompiled(one)).toMatchInlineSnapshot(
      `"{"format":2,"policy":{"assets":[],"chains":[],"changes":{"delayMs":86400000},"conflict":{"scope":"wallet"},"contacts":[],"limits":[{"action":{"kind":"pause","scope":"wallet"},"allowed":"1000000000","limitId":"wallet-hour","metric":"notional","mode":"enforce","scope":"wallet","where":{},"windowMs":3600000}],"matching":{"deductedFeeMax":"0","graceMs":0,"unseenMs":86400000},"mode":"enforce","name":"test","operators":[],"outstandingMax":100,"overdueMs":21600000,"own":[],"resume":{"budget":"0","kind":"trial","steps":[]},"timing":{"admissionMs":30000,"clockToleranceMs":2000,"commitDelayMs":6000,"leaseMs":180000},"unknown":{"asset":{"outflow":"pause","scope":"wallet","withdrawal":"block"},"chain":{"outflow":"pause","scope":"wallet","withdrawal":"block"},"price":{"outflow":"pause","scope":"wallet","withdrawal":"block"},"wallet":{"outflow":"pause","scope":"wallet","withdrawal":"block"}},"unmatched":{"risks":"pause","scope":"key-domain"},"wallets":[]}}"`,
    );
  });

  property.prop([anyPolicy])('behavior: the order of fields does not show', (given) => {
    expect(toCompiled(reversed(given) as Policy.Policy)).toBe(toCompiled(given));
  });

  test('behavior: fields that are there and undefined are as if they were not', () => {
    const [bare, set] = [limit(), limit({ warnBps: undefined, where: { wallet: undefined } })];
    expect(toCompiled(policy({ limits: [set] }))).toBe(toCompiled(policy({ limits: [bare] })));
  });
});

describe('fromCompiled', () => {
  describe('a policy in the form before', () => {
    const written = JSON.parse(toCompiled(FULL)) as { policy: Record<string, unknown> };
    const { operators: _, changes: __, contacts: ___, ...fields } = written.policy;
    const old = (more: object = {}) =>
      JSON.stringify({ format: 1, policy: sorted({ ...fields, ...more }) });

    test('behavior: it is read as one without operators', () => {
      expect(fromCompiled(old({ resume: { kind: 'trial' } }))).toEqual({
        ...FULL,
        changes: { delayMs: DAY_MS },
      });
    });

    test('error: a quorum, which was never put in force in that form', () => {
      expect(() => fromCompiled(old({ resume: { kind: 'quorum' } }))).toThrow(
        InvalidCompiledPolicyError,
      );
    });

    test('error: not to the byte what that version wrote', () => {
      const text = `${old({ resume: { kind: 'trial' } })} `;
      expect(() => fromCompiled(text)).toThrow('it is not in canonical form');
    });
  });

  property.prop([anyPolicy])('default: what was written, and the same text again', (given) => {
    const read = fromCompiled(toCompiled(given));
    expect(read).toEqual(given);
    expect(toCompiled(read)).toBe(toCompiled(given));
  });

  test.each(EXAMPLES)('behavior: examples/policies/%s is as it was parsed', (name) => {
    const parsed = parsePolicy(readFileSync(`examples/policies/${name}`, 'utf8'));
    expect(fromCompiled(toCompiled(parsed))).toEqual(parsed);
  });

  const compiled = toCompiled(FULL);
  const changed = (change: (raw: Record<string, unknown>) => void) => {
    const raw = JSON.parse(compiled) as Record<string, unknown>;
    change(raw);
    return JSON.stringify(raw);
  };
  const inPolicy = (fields: Record<string, unknown>) =>
    changed((raw) => Object.assign(raw.policy as object, fields));
  const inLimit = (fields: Record<string, unknown>) =>
    changed((raw) => {
      const [first] = (raw.policy as { limits: object[] }).limits;
      Object.assign(first as object, fields);
    });

  test.each([
    ['nothing', ''],
    ['a source', 'version: 1\nname: starter\n'],
    ['no object', 'null'],
    ['a list', '[]'],
    ['a newer form', changed((raw) => Object.assign(raw, { format: 3 }))],
    ['an older form', changed((raw) => Object.assign(raw, { format: 0 }))],
    [
      'the form before with fields of this one',
      changed((raw) => Object.assign(raw, { format: 1 })),
    ],
    ['a form that is a text', changed((raw) => Object.assign(raw, { format: '1' }))],
    ['no form', changed((raw) => delete raw.format)],
    ['more beside the policy', changed((raw) => Object.assign(raw, { signature: 'x' }))],
    ['a mode of a newer version', inPolicy({ mode: 'audit' })],
    ['a field of a newer version', inPolicy({ windows: [] })],
    ['a limit with one more field', inLimit({ except: 'hot-2' })],
    ['a limit that nobody wrote', inLimit({ allowed: null })],
    ['a limit that is a number', inLimit({ allowed: 1_000 })],
    ['a negative limit', inLimit({ allowed: '-1' })],
    ['a limit with a leading zero', inLimit({ allowed: '01' })],
    ['a limit in hex', inLimit({ allowed: '0x10' })],
    ['a limit that is empty', inLimit({ allowed: '' })],
    ['a limit that no sum can pass', inLimit({ allowed: (Money.MAX + 1n).toString() })],
    ['a limit of a thousand digits', inLimit({ allowed: '9'.repeat(1_000) })],
    ['a window with a fraction', inLimit({ windowMs: 0.5 })],
    ['a negative window', inLimit({ windowMs: -1 })],
    ['an unknown scope', inLimit({ scope: 'Global' })],
    ['an unknown action', inLimit({ action: { kind: 'ignore' } })],
    ['a hold with a scope', inLimit({ action: { kind: 'hold', scope: 'global' } })],
    ['a pause of nothing', inLimit({ action: { kind: 'pause' } })],
    ['a where that narrows by something else', inLimit({ where: { memo: '*' } })],
    ['limits as a map', inPolicy({ limits: { 0: { limitId: 'a' } } })],
    ['decimals that take all memory', inPolicy({ assets: [{ ...FULL.assets[2], decimals: 1e9 }] })],
    ['white space', `${compiled} `],
    ['fields in another order', JSON.stringify(reversed(JSON.parse(compiled)))],
    [
      'a key given twice',
      compiled.replace('"mode":"enforce"', '"mode":"enforce","mode":"enforce"'),
    ],
    ['a prototype', compiled.replace('"policy":{', '"policy":{"__proto__":{},')],
    ['a number written otherwise', compiled.replace(':3600000', ':36e5')],
    ['a letter written otherwise', compiled.replace('"name":"test"', '"name":"\\u0074est"')],
    ['half of it', compiled.slice(0, compiled.length / 2)],
  ])('error: H32: %s', (_what, text) => {
    expect(text).not.toBe(compiled);
    expect(() => fromCompiled(text)).toThrow(InvalidCompiledPolicyError);
  });

  test('error: every field that is missing, and every one too many', () => {
    const count = objectsIn(JSON.parse(compiled)).length;
    const optional = new Set(['floorPricePicoUsd', 'sameAs', 'warnBps', 'tripOnRefusal']);
    for (let at = 0; at < count; at += 1) {
      const keys = Object.keys(objectsIn(JSON.parse(compiled))[at] ?? {});
      const inWhere = keys.join() === 'asset,wallet' && at > 0;
      for (const key of keys.filter((each) => !optional.has(each) && !inWhere)) {
        const text = changed((raw) => delete objectsIn(raw)[at]?.[key]);
        expect(() => fromCompiled(text), `${key} of object ${at}`).toThrow(
          InvalidCompiledPolicyError,
        );
      }
      const more = changed((raw) => Object.assign(objectsIn(raw)[at] ?? {}, { zz: 1 }));
      expect(() => fromCompiled(more), `more in object ${at}`).toThrow(InvalidCompiledPolicyError);
    }
  });

  property.prop([fc.oneof(fc.string(), fc.json())])(
    'error: any other text, and nothing of it in the message',
    (text) => {
      expect(() => fromCompiled(text)).toThrow(InvalidCompiledPolicyError);
    },
  );

  test('error: says where, and what to do', () => {
    expect(() => fromCompiled(inLimit({ allowed: 'secret' }))).toThrow(
      'the compiled policy is none that this version wrote (policy.limits.0.allowed: Invalid input); nothing is decided by it. Put the policy in force again: breakwater policy apply',
    );
  });
});
