import { describe, expect, test } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import type { DecisionStore, Keys } from '../../lib/ports.ts';
import { compileSource, readyWorld } from '../support/action-world.ts';
import { CUSTOMER, incoming, policy, withdrawal } from '../support/builders.ts';

const WHOLE = `destination:${CUSTOMER}`;

/**
 * A batch read is no instant: what a withdrawal is charged to may be read before something
 * happens or after it. Only the gates come last, as every store promises.
 */
function torn(decisions: DecisionStore, between: () => Promise<unknown>): DecisionStore {
  let reads = 0;
  const load = async ({ gates, ...keys }: Keys) => {
    reads += 1;
    const isWhole = (key: string) => key === WHOLE;
    const early = await decisions.load({ rows: [], items: keys.items.filter(isWhole) });
    if (reads === 1) await between();
    const others = keys.items.filter((key) => !isWhole(key));
    const rest = await decisions.load({ ...keys, items: others });
    const last = await decisions.load({ rows: [], items: gates ?? [] });
    return { ...rest, items: new Map([...early.items, ...rest.items, ...last.items]) };
  };
  return { ...decisions, load };
}

describe('reserveWithdrawals', () => {
  test('behavior: a destination paused while it is read stops the withdrawals to its parts', async () => {
    const { world } = await readyWorld(policy());
    const { decisions } = world.store;
    const pause = () =>
      operateBreaker(
        { ...world.decision, incidents: world.store.incidents, compilePolicy: compileSource },
        {
          command: { kind: 'pause', commandId: 'pause-1', scope: WHOLE, reason: 'suspect' },
          actor: 'ann',
        },
      );
    const asked = withdrawal('w-1', { memo: 'tag' });
    const asks = [{ withdrawal: asked, bodyHash: incoming(asked).bodyHash }];
    const [answer] = await reserveWithdrawals(
      { ...world.reserve, decisions: torn(decisions, pause) },
      { asks, audience: 'signer' },
    );
    expect(answer?.kind).toBe('block');
  });
});
