import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccountId } from '../../lib/domain/caip.ts';
import * as Scope from '../../lib/domain/scope.ts';
import { CUSTOMER, subject, WRAPPED_ETH } from '../support/builders.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...'1|:/%a#*\u0000.A'.split('')), minLength: 1, maxLength: 6 }),
);

describe('key', () => {
  test('default', () => {
    expect(Scope.all(subject({ memo: 'tag 7' })).map(Scope.key)).toMatchInlineSnapshot(`
      [
        "actor:customer-1",
        "destination:eip155:1:0xcccccccccccccccccccccccccccccccccccccccc|tag%207",
        "wallet-asset:hot-1|eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        "wallet:hot-1",
        "asset:eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        "chain:eip155:1",
        "key-domain:vault-a",
        "global",
      ]
    `);
  });

  test('behavior: H25: wallet 1 and wallet 11 never meet', () => {
    const one = Scope.all(subject({ wallet: '1', actor: '1' })).map(Scope.key);
    const eleven = Scope.all(subject({ wallet: '11', actor: '11' })).map(Scope.key);
    expect(one.filter((key) => eleven.includes(key))).toEqual([
      `destination:${CUSTOMER}`,
      'asset:eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48',
      'chain:eip155:1',
      'key-domain:vault-a',
      'global',
    ]);
  });

  test('behavior: H25: two subjects share a key only where they are the same in that scope', () => {
    const parts = fc.record({
      wallet: hostile,
      keyDomain: hostile,
      actor: fc.option(hostile, { nil: undefined }),
      memo: fc.option(hostile, { nil: undefined }),
    });
    const same = (kind: Scope.Kind, a: Scope.Subject, b: Scope.Subject): boolean => {
      const field = { actor: 'actor', destination: 'memo', 'key-domain': 'keyDomain' } as const;
      if (kind === 'wallet' || kind === 'wallet-asset') return a.wallet === b.wallet;
      const name = field[kind as keyof typeof field];
      return name === undefined || a[name] === b[name];
    };
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        for (const kind of Scope.KINDS) {
          const [a, b] = [subject(left), subject(right)];
          const equal = Scope.key(Scope.of(kind, a)) === Scope.key(Scope.of(kind, b));
          expect(equal).toBe(same(kind, a, b));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('behavior: H25: keys of different kinds never meet, whatever the ids say', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const keys = Scope.all(
          subject({ wallet: text, keyDomain: text, actor: text, memo: text }),
        ).map(Scope.key);
        expect(new Set(keys).size).toBe(Scope.KINDS.length);
      }),
    );
  });
});

describe('parseKey', () => {
  test('behavior: reads back every key that fits', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const scope of Scope.all(
          subject({ wallet: text, keyDomain: text, actor: text, memo: text }),
        )) {
          expect(Scope.parseKey(Scope.key(scope))).toEqual(scope);
        }
      }),
    );
  });

  test.each([
    '',
    'wallet',
    'wallet:',
    'global:x',
    'Wallet:a',
    'wallets:a',
    ':a',
    'wallet:a b',
    'wallet:a\n',
    'wallet:\u0007',
  ])('error: %j', (text) => {
    expect(() => Scope.parseKey(text)).toThrow(Scope.InvalidScopeError);
  });

  test('error: longer than a key may be', () => {
    const at = `wallet:${'a'.repeat(593)}`;
    expect(Scope.parseKey(at).kind).toBe('wallet');
    expect(() => Scope.parseKey(`${at}a`)).toThrow(Scope.InvalidScopeError);
  });
});

describe('of', () => {
  test('behavior: H43: money that names no actor shares one scope, which no actor can name', () => {
    const none = Scope.key(Scope.of('actor', subject({ actor: undefined })));
    expect(none).toBe('actor:%none');
    expect(Scope.key(Scope.of('actor', subject({ actor: '%none' })))).not.toBe(none);
  });

  test('behavior: a memo belongs to the destination', () => {
    const of = (memo: string | undefined) => Scope.of('destination', subject({ memo })).id;
    expect([of(undefined), of('1'), of('11')]).toEqual([
      CUSTOMER,
      `${CUSTOMER}|1`,
      `${CUSTOMER}|11`,
    ]);
  });

  test('behavior: H25: half of a surrogate pair does not throw', () => {
    const broken = '\ud83d';
    expect(
      Scope.all(subject({ wallet: broken, keyDomain: broken, actor: broken, memo: broken })),
    ).toHaveLength(8);
  });
});

describe('all', () => {
  test('behavior: one scope of each kind, narrowest first', () => {
    expect(Scope.all(subject()).map((scope) => scope.kind)).toEqual([...Scope.KINDS]);
  });
});

describe('covering', () => {
  test('default', () => {
    const rows = Scope.KINDS.map((kind) => [
      kind,
      Scope.covering(kind, subject())
        .map((scope) => scope.kind)
        .join(' '),
    ]);
    expect(Object.fromEntries(rows)).toMatchInlineSnapshot(`
      {
        "actor": "global",
        "asset": "global",
        "chain": "global",
        "destination": "global",
        "global": "",
        "key-domain": "global",
        "wallet": "key-domain global",
        "wallet-asset": "wallet asset key-domain global",
      }
    `);
  });

  test('behavior: H33: a destination as a whole covers each of its memos', () => {
    const keys = Scope.covering('destination', subject({ memo: '77' })).map(Scope.key);
    expect(keys).toEqual([`destination:${CUSTOMER}`, 'global']);
  });

  test('behavior: H33: whatever stops less than the scope itself does not cover it', () => {
    // Same wallet and asset budget from another chain, another wallet of the vault, another customer.
    const others = [
      subject({ chain: 'eip155:56', destination: 'eip155:56:0xd' as AccountId, actor: 'b' }),
      subject({ wallet: 'hot-2', actor: 'b', destination: 'eip155:1:0xd' as AccountId }),
      subject({ wallet: 'hot-2', keyDomain: 'vault-b' }),
      subject({ asset: WRAPPED_ETH, destination: 'eip155:1:0xd' as AccountId, memo: 'x' }),
    ];
    for (const kind of Scope.KINDS) {
      const own = Scope.key(Scope.of(kind, subject()));
      for (const wider of Scope.covering(kind, subject())) {
        for (const other of others) {
          const inOwn = Scope.key(Scope.of(kind, other)) === own;
          const inWider = Scope.key(Scope.of(wider.kind, other)) === Scope.key(wider);
          if (inOwn) expect([kind, wider.kind, inWider]).toEqual([kind, wider.kind, true]);
        }
      }
    }
  });
});

describe('stopping', () => {
  test('default: its own scope, and for a memo the whole destination', () => {
    const keys = (memo?: string) =>
      Scope.KINDS.map((kind) => Scope.stopping(kind, subject({ memo })).map(Scope.key));
    expect(keys().every((of) => of.length === 1)).toBe(true);
    expect(keys('77')[1]).toEqual([`destination:${CUSTOMER}|77`, `destination:${CUSTOMER}`]);
  });
});

describe('covers', () => {
  const WIDER: Readonly<Record<Scope.Kind, readonly Scope.Kind[]>> = {
    actor: ['actor', 'global'],
    destination: ['destination', 'global'],
    'wallet-asset': ['wallet-asset', 'wallet', 'asset', 'key-domain', 'global'],
    wallet: ['wallet', 'key-domain', 'global'],
    asset: ['asset', 'global'],
    chain: ['chain', 'global'],
    'key-domain': ['key-domain', 'global'],
    global: ['global'],
  };

  test.each(Scope.KINDS)('behavior: H33: what stops everything that %s stops', (narrower) => {
    const covering = Scope.KINDS.filter((wider) => Scope.covers(wider, narrower));
    expect(covering.toSorted()).toEqual(WIDER[narrower].toSorted());
  });
});

describe('InvalidScopeError', () => {
  test('error: H25: says what a scope looks like, and cuts a long text', () => {
    const { name, message } = new Scope.InvalidScopeError({ text: 'x'.repeat(200) });
    expect(name).toBe('Scope.InvalidScopeError');
    expect(message).toContain(`"${'x'.repeat(100)}" is not a scope; use "global"`);
    expect(message).toContain(Scope.KINDS.slice(0, -1).join(', '));
    expect(message).not.toContain(', global');
  });

  test.each([' wallet:a', 'Xwallet:a', 'wallet:', ':a', 'wallet'])('args: %j', (text) => {
    expect(() => Scope.parseKey(text)).toThrow(Scope.InvalidScopeError);
  });
});
