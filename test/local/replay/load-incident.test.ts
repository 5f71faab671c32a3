import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as Money from '../../../lib/domain/money.ts';
import { summarize } from '../../../lib/local/replay/incident.ts';
import { loadIncident } from '../../../lib/local/replay/load-incident.ts';

const FOLDER = `${import.meta.dirname}/../../../examples/incidents/`;
const NAMES = ['coinex-2023', 'ronin-2022', 'stake-2023'];

describe('loadIncident', () => {
  test('default', () => {
    const incident = loadIncident(`${FOLDER}coinex-2023.csv`);
    expect(incident).toMatchObject({ entry: 'outflow.observed', keyDomain: 'coinex-hot' });
    expect(incident.outflows[0]).toMatchObject({
      atMs: Date.parse('2023-09-12T13:20:59Z'),
      asset: 'eip155:1/slip44:60',
      amount: Money.parseUnits('4947', 18),
      notionalMicroUsd: 7_900_000_000_000n,
      synthetic: ['wallet'],
    });
    expect(incident.wallets.every((wallet) => wallet.synthetic)).toBe(true);
  });

  test('behavior: Ronin enters as approved, from its known wallet, with two transfers 115 s apart', () => {
    const incident = loadIncident(`${FOLDER}ronin-2022.csv`);
    const [first, second] = incident.outflows;
    expect(incident.entry).toBe('withdrawal.reported');
    expect(incident.wallets).toMatchObject([{ name: 'ronin-ethereum', synthetic: false }]);
    expect(second!.atMs - first!.atMs).toBe(115_000);
  });

  test.each(NAMES)(
    'behavior: %s has a source for every row and a wallet and a price for each',
    (name) => {
      const incident = loadIncident(`${FOLDER}${name}.csv`);
      const lines = readFileSync(`${FOLDER}${name}.csv`, 'utf8').trim().split('\n');
      expect(incident.outflows).toHaveLength(lines.length - 1);
      for (const outflow of incident.outflows) {
        const asset = incident.assets.find((known) => known.asset === outflow.asset);
        const pricePicoUsd = Money.parsePrice(asset!.floorPriceUsd!);
        const { amount, decimals } = outflow;
        const notional = Money.notionalMicroUsd({ amount, decimals, pricePicoUsd });
        // The floor price brings every row back to its published USD, to a hundredth of a cent.
        expect(Math.abs(Number(notional - outflow.notionalMicroUsd!))).toBeLessThan(100);
        expect(incident.wallets.some((wallet) => wallet.account === outflow.account)).toBe(true);
        expect(outflow.sourceUrl).not.toBe('');
      }
    },
  );

  test('error: a file that is not there', () => {
    expect(() => loadIncident(`${FOLDER}nowhere.csv`)).toThrow('ENOENT');
  });
});

describe('summarize', () => {
  test('default', () => {
    expect(summarize(loadIncident(`${FOLDER}coinex-2023.csv`))).toMatchInlineSnapshot(`
      {
        "acknowledgementMinutes": 235,
        "aggregateCount": 13,
        "disclosureMinutes": undefined,
        "firstTheftMs": 1694524859000,
        "outflowCount": 18,
        "outsideAlertMinutes": 23,
        "stolenMicroUsd": 53360036200000n,
        "suspensionMinutes": 117,
        "unpricedCount": 0,
      }
    `);
  });

  test('behavior: Ronin was noticed by nobody for six days', () => {
    expect(summarize(loadIncident(`${FOLDER}ronin-2022.csv`))).toMatchInlineSnapshot(`
      {
        "acknowledgementMinutes": undefined,
        "aggregateCount": 0,
        "disclosureMinutes": 8760,
        "firstTheftMs": 1648042149000,
        "outflowCount": 2,
        "outsideAlertMinutes": undefined,
        "stolenMicroUsd": 565376764750000n,
        "suspensionMinutes": undefined,
        "unpricedCount": 0,
      }
    `);
  });

  test('behavior: Stake acknowledged after 268 minutes', () => {
    expect(summarize(loadIncident(`${FOLDER}stake-2023.csv`))).toMatchInlineSnapshot(`
      {
        "acknowledgementMinutes": 268,
        "aggregateCount": 4,
        "disclosureMinutes": undefined,
        "firstTheftMs": 1693831680000,
        "outflowCount": 9,
        "outsideAlertMinutes": 43,
        "stolenMicroUsd": 23830075000000n,
        "suspensionMinutes": 84,
        "unpricedCount": 0,
      }
    `);
  });
});
