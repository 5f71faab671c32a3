import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from '../../lib/adapters/wire/json.ts';
import { memoryScene } from './story/memory-scene.ts';
import { COLUMNS, told } from './story/told.ts';

const STAKE_POLICY = join(import.meta.dirname, '../../examples/policies/stake-2023.yaml');

describe('tell', () => {
  test('default: the CoinEx drain trips at its first outflow, because nobody approved it', async () => {
    const { text, report } = await told('coinex-2023', { ending: 'auto' });
    expect(report.tripped).toMatchObject({
      scope: 'key-domain:coinex-hot',
      cause: 'unmatched',
      at: '2023-09-12T13:20:59.000Z',
    });
    expect(report.tally).toMatchObject({ stolenBefore: 1, stolenAfter: 17, falsePauses: 0 });
    expect(report.resumed).toMatchObject({ trial: true, flagEnabled: true, nextFlows: true });
    await expect(text).toMatchFileSnapshot('./story/coinex-2023.txt');
  });

  test('args: ronin-2022: trips on volume alone at its first outflow, and the second is refused', async () => {
    const { text, report } = await told('ronin-2022', { ending: 'auto' });
    expect(report.tripped).toMatchObject({
      scope: 'wallet:ronin-ethereum',
      cause: 'limit',
      limitId: 'eth-tokens-day',
      at: '2022-03-23T13:29:09.000Z',
    });
    expect(report.tally).toMatchObject({ stolenBefore: 1, stolenAfter: 0, stopped: 1 });
    await expect(text).toMatchFileSnapshot('./story/ronin-2022.txt');
  });

  test('args: stake-2023: trips at its first outflow, because nobody approved it', async () => {
    const { report } = await told('stake-2023');
    expect(report.tripped).toMatchObject({
      scope: 'key-domain:stake-hot',
      cause: 'unmatched',
      at: '2023-09-04T12:48:00.000Z',
    });
    expect(report.tally).toMatchObject({ stolenBefore: 1, stolenAfter: 8 });
    expect(report.resumed).toBeUndefined();
  });

  test('behavior: what left, what was taken after and what was stopped sum to the fixture', async () => {
    for (const name of ['coinex-2023', 'ronin-2022', 'stake-2023']) {
      const { tally, incident } = (await told(name)).report;
      const { stolenBeforeNotional, stolenAfterNotional, stoppedNotional } = tally;
      const sum = stolenBeforeNotional + stolenAfterNotional + stoppedNotional;
      const differs = sum - incident.stolenMicroUsd;
      // Prices have twelve digits: each outflow may be a micro-dollar off what was published.
      const most = BigInt(incident.outflowCount) * 10n;
      expect(differs < 0n ? -differs : differs).toBeLessThanOrEqual(most);
    }
  });

  test('behavior: no line is wider than a terminal of 80 columns', async () => {
    for (const name of ['coinex-2023', 'ronin-2022', 'stake-2023']) {
      const { text } = await told(name, { ending: 'auto' });
      const wide = text.split('\n').filter((line) => [...line].length > COLUMNS);
      expect(wide).toEqual([]);
    }
  });

  test('behavior: told again on the same state, nothing trips or counts twice', async () => {
    const policySource = readFileSync(STAKE_POLICY, 'utf8');
    const scene = await memoryScene(policySource, Date.parse('2023-09-04T06:48:00Z'));
    const first = await told('stake-2023', { scene });
    const again = await told('stake-2023', { scene });
    expect(again.report.tripped).toBeUndefined();
    expect(again.report.standing).toContain(first.report.tripped?.incidentId);
    expect(again.text).toContain('Events that it knows are duplicates');
    expect(again.text).not.toContain('What the pause did');
  });

  test('behavior: the report is JSON, bigints as decimal strings', async () => {
    const { report } = await told('ronin-2022', { ending: 'auto' });
    const { falsePauses, page, ...rest } = JSON.parse(stringify(report));
    delete rest.policy.hash;
    expect(Object.keys(falsePauses)).toEqual([
      'days',
      'withdrawals',
      'refused',
      'pauses',
      'scopes',
    ]);
    expect(page.subject.length).toBeLessThanOrEqual(140);
    expect(rest).toMatchInlineSnapshot(`
      {
        "events": 182,
        "incident": {
          "aggregateCount": 0,
          "disclosureMinutes": 8760,
          "firstTheftMs": 1648042149000,
          "name": "ronin-2022",
          "outflowCount": 2,
          "stolenMicroUsd": "565376764750000",
          "title": "Ronin bridge, 23 March 2022",
          "unpricedCount": 0,
        },
        "policy": {
          "file": "examples/policies/ronin-2022.yaml",
          "name": "ronin-2022",
        },
        "resumed": {
          "by": [
            {
              "actor": "local:operator",
              "incidentId": "INCIDENT1",
              "reason": "replay: resumed automatically",
            },
          ],
          "flagEnabled": true,
          "nextFlows": false,
          "trial": true,
        },
        "seed": "1",
        "standing": [],
        "tally": {
          "falsePauses": 0,
          "normal": 68,
          "normalNotional": "11568581601",
          "refused": 21,
          "refusedNotional": "4863281868",
          "sent": 138,
          "stolenAfter": 0,
          "stolenAfterNotional": "0",
          "stolenBefore": 1,
          "stolenBeforeNotional": "539884275750000",
          "stopped": 1,
          "stoppedNotional": "25492488999990",
        },
        "tripped": {
          "at": "2022-03-23T13:29:09.000Z",
          "cause": "limit",
          "incidentId": "INCIDENT1",
          "limitId": "eth-tokens-day",
          "scope": "wallet:ronin-ethereum",
          "text": "limit eth-tokens-day on wallet-asset:ronin-ethereum|eip155:1/slip44:60: 173602.35717047 ETH in 24h of 150000 ETH allowed",
        },
        "volumeAlone": {
          "at": "2022-03-23T13:29:09.000Z",
          "isTimeSynthetic": false,
          "limitId": "eth-tokens-day",
          "scope": "wallet:ronin-ethereum",
          "stolenCount": 1,
          "stolenMicroUsd": "539884275750000",
          "tripped": true,
        },
      }
    `);
  });
});
