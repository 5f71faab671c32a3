/** Meters with every slot full: 31 days of a withdrawal between 100 and 1 000 USD every 6 s. */

import * as Meter from '../../../lib/domain/meter.ts';
import * as Money from '../../../lib/domain/money.ts';
import * as Build from '../../support/builders.ts';
import { mulberry32 } from '../../support/faults.ts';

/** Time between two withdrawals. */
const EVERY_MS = 6_000;
const FULL_MS = 31 * Build.DAY_MS;
const PRICE_ETH_PICO_USD = 1_594_370_000_000_000n;
/** ETH is sent in units of 8 decimals. */
const ETH_UNIT = 10n ** 10n;

/** A scope of several assets, of which one was used: sizes and counts. */
export function severalAssets(): Meter.Meter {
  return busy((microUsd) => ({ notional: microUsd, amount: 0n, assets: [0xdead_beef] }));
}

/** A scope of ETH alone. */
export function eth(): Meter.Meter {
  return busy((microUsd) => {
    const wei = (microUsd * 10n ** 24n) / PRICE_ETH_PICO_USD;
    const amount = (wei / ETH_UNIT) * ETH_UNIT;
    const price = { amount, decimals: 18, pricePicoUsd: PRICE_ETH_PICO_USD };
    return { notional: Money.notionalMicroUsd(price), amount, assets: [] };
  });
}

/** A scope of USDC alone. */
export function usdc(): Meter.Meter {
  return busy((microUsd) => ({ notional: microUsd, amount: microUsd, assets: [] }));
}

/** Sparse at first, one charge for all that would have come since the last; one by one in the last two hours. */
function busy(chargeOf: (microUsd: bigint) => Omit<Meter.Charge, 'count'>): Meter.Meter {
  const random = mulberry32(7);
  const phases = [
    { everyMs: 10 * Build.MINUTE_MS, untilMs: Build.T0_MS + FULL_MS },
    { everyMs: EVERY_MS, untilMs: Build.T0_MS + FULL_MS + 2 * Build.HOUR_MS },
  ];
  let meter = Meter.EMPTY;
  let atMs = Build.T0_MS;
  for (const { everyMs, untilMs } of phases) {
    const count = everyMs / EVERY_MS;
    for (; atMs < untilMs; atMs += everyMs) {
      const microUsd = BigInt(Math.floor((100 + 900 * random()) * 1e6)) * BigInt(count);
      meter = Meter.charge(meter, { ...chargeOf(microUsd), count }, atMs);
    }
  }
  return meter;
}
