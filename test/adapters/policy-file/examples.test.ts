import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import * as Money from '../../../lib/domain/money.ts';
import * as Policy from '../../../lib/domain/policy.ts';
import { loadIncident } from '../../../lib/local/replay/load-incident.ts';

describe('examples/policies', () => {
  test.each(['coinex-2023', 'ronin-2022', 'stake-2023'])(
    'behavior: %s knows its incident',
    (name) => {
      const policy = parsePolicy(readFileSync(`examples/policies/${name}.yaml`, 'utf8'));
      const incident = loadIncident(`examples/incidents/${name}.csv`);
      expect(policy.wallets).toEqual(
        incident.wallets.map(({ name: wallet, keyDomain, account }) => ({
          name: wallet,
          keyDomain,
          addresses: [account],
        })),
      );
      for (const { asset, decimals, floorPriceUsd } of incident.assets) {
        const rule = Policy.assetRule(policy, asset);
        expect([rule?.pattern, rule?.decimals]).toEqual([asset, decimals]);
        const price = floorPriceUsd === undefined ? undefined : Money.parsePrice(floorPriceUsd);
        expect(rule?.floorPricePicoUsd).toBe(price);
      }
      for (const { account, asset, destination, amount } of incident.outflows) {
        expect(Policy.resolve(policy, { account, asset, destination, amount }).unknown).toEqual([]);
      }
    },
  );
});
