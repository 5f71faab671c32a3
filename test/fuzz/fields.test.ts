/**
 * Every field of good input, wrong in every way: the parser takes it, or its error names that field.
 * Where a parser is strict, a field that nobody knows is refused by its name.
 */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromCompiled } from '../../lib/adapters/compiled-policy.ts';
import { parseRpcSettings } from '../../lib/adapters/evm/rpc-settings.ts';
import { compilePolicy } from '../../lib/adapters/policy-file/compile.ts';
import { parsePriceSettings } from '../../lib/adapters/price/http.ts';
import { parseAlchemySettings } from '../../lib/adapters/webhook/alchemy.ts';
import { parseFireblocksSettings } from '../../lib/adapters/webhook/fireblocks-settings.ts';
import { parseGenericSettings, readGeneric } from '../../lib/adapters/webhook/generic.ts';
import * as CommandWire from '../../lib/adapters/wire/command.ts';
import { parseEnvelope } from '../../lib/adapters/wire/event.ts';
import * as OutcomeWire from '../../lib/adapters/wire/outcome.ts';
import * as ReserveWire from '../../lib/adapters/wire/reserve.ts';
import { readEvents } from '../../lib/cli/read-events.ts';
import { delivery } from '../adapters/webhook/deliveries.ts';
import * as Build from '../support/builders.ts';
import * as Good from './good.ts';
import { said, strangersOf, type Wrong, wrongOf } from './strange.ts';

const WRONGS_MAX = 300;

type Parse = (text: string) => unknown;
/** How a parser writes the place of a field, where not as `a.0.b`. */
type Name = (path: Wrong['path']) => string;

const dotted: Name = (path) => path.join('.');
const bracketed: Name = (path) =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .slice(1);
/** A part by the whole that it is of: an outflow, the accounts of a vault. */
const ofWhole: Name = (path) => path.slice(0, 2).join('.');
/** What a line of a file says. */
const inLine: Parse = (text) => {
  const { invalid } = readEvents(text);
  if (invalid.length > 0) throw new Error(invalid.flatMap(({ problems }) => problems).join('; '));
};

type Case = readonly [string, unknown, Parse, Name?];
const STRICT: readonly Case[] = [
  ...Object.entries(Good.COMMANDS).map(
    ([name, good]): Case => [`command ${name}`, good, CommandWire.parseRequest],
  ),
  ['reservations', Good.RESERVATIONS, ReserveWire.parseRequest],
  [
    'generic webhooks',
    Good.GENERIC,
    (text) => readGeneric(Build.policy(), delivery(text)),
    ofWhole,
  ],
  ['policies', Good.POLICY, compilePolicy, bracketed],
  ['compiled policies', compiled(), fromCompiled],
  ['RPC settings', Good.RPC, parseRpcSettings],
  ['price settings', Good.PRICES, parsePriceSettings],
  ['secrets of Alchemy', Good.ALCHEMY, parseAlchemySettings],
  ['secrets of Fireblocks', Good.FIREBLOCKS, parseFireblocksSettings, ofWhole],
  ['secrets of reporters', Good.REPORTER, parseGenericSettings],
];
/** An envelope of EventBridge carries more than is read here. */
const OPEN: readonly Case[] = [
  ...Object.entries(Good.EVENTS).map(
    ([name, good]): Case => [`event ${name}`, good, parseEnvelope],
  ),
  ['outcomes', Good.OUTCOMES, OutcomeWire.parseRequest],
  ['event files', Good.EVENTS['withdrawal.reported'], inLine],
];

function compiled(): unknown {
  return JSON.parse(compilePolicy(JSON.stringify(Good.POLICY)).compiled);
}

/** All of them, or as many as take some seconds: a policy has thousands. */
function some(wrongs: readonly Wrong[]): readonly Wrong[] {
  return wrongs.length <= WRONGS_MAX ? wrongs : fc.sample(fc.constantFrom(...wrongs), WRONGS_MAX);
}

/** Those of the wrong values whose error names another place, or nothing. */
function unnamed(wrongs: readonly Wrong[], parse: Parse, name: Name): readonly string[] {
  return wrongs.flatMap(({ path, text, put }) => {
    const words = said(() => parse(text));
    const own = String(path.findLast((part) => typeof part === 'string'));
    const isNamed = words === undefined || (words.includes(name(path)) && words.includes(own));
    return isNamed || isAcross(path, words) ? [] : [`${name(path)} = ${put} → ${words}`];
  });
}

/** What does not fit another field: the error names that one, and this one in its words. */
function isAcross(path: Wrong['path'], words: string): boolean {
  const own = path.at(-1);
  return words.includes(`add ${own}`) || words.includes(`but the ${own} is on`);
}

describe.for<Case>([...STRICT, ...OPEN])('%s', ([, good, parse, name = dotted]) => {
  test('behavior: an error names the field that is wrong', () => {
    expect(said(() => parse(JSON.stringify(good)))).toBeUndefined();
    expect(unnamed(some(wrongOf(good)), parse, name)).toEqual([]);
  });
});

describe.for<Case>(STRICT)('%s', ([, good, parse]) => {
  test('behavior: a field that nobody knows is refused by its name', () => {
    // Typed data is whatever was shown to who signed.
    const strangers = strangersOf(good).filter(({ path }) => path[0] !== 'signed');
    const words = strangers.map(({ text }) => said(() => parse(text)) ?? 'taken');
    expect(words.filter((one) => !one.includes('stranger'))).toEqual([]);
  });
});
