/**
 * Every parser at an edge against garbage and against good text that was changed somewhere: it ends,
 * with a value or with an error of its own that says what is wrong.
 */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeTools } from '../../lib/adapters/audit-jws.ts';
import { fromCompiled, toCompiled } from '../../lib/adapters/compiled-policy.ts';
import { parseRpcSettings } from '../../lib/adapters/evm/rpc-settings.ts';
import { compilePolicy } from '../../lib/adapters/policy-file/compile.ts';
import { parsePriceSettings } from '../../lib/adapters/price/http.ts';
import { parsePicoUsd } from '../../lib/adapters/price/pico-usd.ts';
import { parseAlchemySettings } from '../../lib/adapters/webhook/alchemy.ts';
import { toUnits } from '../../lib/adapters/webhook/decimal.ts';
import { parseFireblocksSettings } from '../../lib/adapters/webhook/fireblocks-settings.ts';
import { parseGenericSettings, readGeneric } from '../../lib/adapters/webhook/generic.ts';
import * as CommandWire from '../../lib/adapters/wire/command.ts';
import { parseEnvelope } from '../../lib/adapters/wire/event.ts';
import { parseAccount, parseAsset } from '../../lib/adapters/wire/identifier.ts';
import * as OutcomeWire from '../../lib/adapters/wire/outcome.ts';
import * as ReserveWire from '../../lib/adapters/wire/reserve.ts';
import { parseScopeKey } from '../../lib/adapters/wire/scope-key.ts';
import { readEvents } from '../../lib/cli/read-events.ts';
import { parseClaims } from '../../lib/client/admission-claims.ts';
import { fromUnknown } from '../../lib/client/flag-answer.ts';
import { fromAnswer } from '../../lib/client/reserve-wire.ts';
import * as Export from '../../lib/domain/audit-export.ts';
import * as Csv from '../../lib/local/replay/csv.ts';
import { parseIncident } from '../../lib/local/replay/parse-incident.ts';
import { delivery } from '../adapters/webhook/deliveries.ts';
import { CLAIMS } from '../client/tokens.ts';
import { entry, exported } from '../support/audit.ts';
import * as Build from '../support/builders.ts';
import * as Good from './good.ts';
import { changed, garbage, LONG, said } from './strange.ts';

const RUNS = 150;

const EVENT = JSON.stringify(Good.EVENTS['withdrawal.reported']);
const INCIDENT = [
  'time_utc,chain,asset,token_address,decimals,amount,amount_usd,from,to,tx_hash,source_url,precision',
  '2023-01-01T00:00:00Z,ethereum,ETH,,18,10,16000,,,0xaa,https://a.example,exact',
].join('\n');
const EXPORT = await exported([entry('a'), entry('b', { scope: 'wallet:hot-1' })]);
const ASKED = [{ ...Good.TRANSFER, withdrawalId: 'w-1' }];

/** Each parser with something that it reads. */
const PARSERS: readonly (readonly [string, string, (text: string) => unknown])[] = [
  ['events', EVENT, parseEnvelope],
  ['commands', JSON.stringify(Good.COMMANDS.pause), CommandWire.parseRequest],
  ['proposals', JSON.stringify(Good.COMMANDS['resume.approve']), CommandWire.parseRequest],
  ['reservations', JSON.stringify(Good.RESERVATIONS), ReserveWire.parseRequest],
  ['outcomes', JSON.stringify(Good.OUTCOMES), OutcomeWire.parseRequest],
  ['policies', JSON.stringify(Good.POLICY, undefined, 1), compilePolicy],
  ['compiled policies', toCompiled(Build.policy({ limits: [Build.limit()] })), fromCompiled],
  [
    'generic webhooks',
    JSON.stringify(Good.GENERIC),
    (text) => readGeneric(Build.policy(), delivery(text, {})),
  ],
  ['claims', JSON.stringify(CLAIMS), (text) => parseClaims(new TextEncoder().encode(text))],
  ['flags', JSON.stringify(Good.FLAG), (text) => fromUnknown(orText(text))],
  ['verdicts', JSON.stringify(Good.VERDICTS), (text) => fromAnswer(orText(text), ASKED)],
  ['CSV', 'at,amount\n2023,"1"\n', (text) => Csv.parse(text, ['at', 'amount'])],
  [
    'incidents',
    INCIDENT,
    (text) => parseIncident({ name: 'x', outflows: { file: 'x.csv', text } }),
  ],
  ['event files', `${EVENT}\n${EVENT}\n`, readEvents],
  ['audit exports', EXPORT, (text) => Export.verify(Buffer.from(text), nodeTools)],
  ['RPC settings', JSON.stringify(Good.RPC), parseRpcSettings],
  ['price settings', JSON.stringify(Good.PRICES), parsePriceSettings],
  ['secrets of Alchemy', JSON.stringify(Good.ALCHEMY), parseAlchemySettings],
  ['secrets of Fireblocks', JSON.stringify(Good.FIREBLOCKS), parseFireblocksSettings],
  ['secrets of reporters', JSON.stringify(Good.REPORTER), parseGenericSettings],
  ['accounts', Build.HOT_1, parseAccount],
  ['assets', Build.USDC, parseAsset],
  ['scopes', 'wallet-asset:hot-1|eip155:1/slip44:60', parseScopeKey],
  ['prices', '3456.789e-2', parsePicoUsd],
  ['decimals', '25.5', (text) => toUnits(text, 6)],
];

/** JSON as the client libraries get it, read already; a text where it is none. */
function orText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

describe.each(PARSERS)('%s', (_, good, parse) => {
  const survive = (text: string) => {
    said(() => parse(text));
  };

  test('default', () => {
    expect(said(() => parse(good))).toBeUndefined();
  });

  test('behavior: generated garbage ends in an error of its own', async () => {
    await fc.assert(fc.property(garbage(), survive), { numRuns: RUNS });
  });

  test('behavior: good input that was changed ends in a value or an error of its own', async () => {
    await fc.assert(fc.property(changed(good), survive), { numRuns: RUNS });
  });

  test('behavior: very deep and very long input ends, too', () => {
    LONG.forEach(survive);
  });
});

describe('audit exports', () => {
  test('behavior: no change leaves one whole, and each names the row', async () => {
    const rows = EXPORT.split('\n').length;
    const found = (text: string) => {
      const verdict = Export.verify(Buffer.from(text), nodeTools);
      return verdict.kind === 'broken' && verdict.row >= 1 && verdict.row <= rows + 40;
    };
    await fc.assert(
      fc.property(changed(EXPORT), (text) => text === EXPORT || found(text)),
      { numRuns: RUNS },
    );
  });
});
