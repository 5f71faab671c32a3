import { describe, expect, test } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import type { Withdrawal } from '../../lib/domain/withdrawal.ts';
import type { DecisionStore, Keys } from '../../lib/ports.ts';
import { compileSource, readyWorld } from '../support/action-world.ts';
import {
  CHAIN,
  CUSTOMER,
  incoming,
  outflow,
  PRICELESS,
  policy,
  withdrawal,
} from '../support/builders.ts';

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
  const reserveWhilePaused = async (...asked: readonly Withdrawal[]) => {
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
    const asks = asked.map((one) => ({ withdrawal: one, bodyHash: incoming(one).bodyHash }));
    const answers = await reserveWithdrawals(
      { ...world.reserve, decisions: torn(decisions, pause) },
      { asks, audience: 'signer' },
    );
    return answers.map(({ kind }) => kind);
  };

  test('behavior: a destination paused while it is read stops the withdrawals to its parts', async () => {
    expect(await reserveWhilePaused(withdrawal('w-1', { memo: 'tag' }))).toEqual(['block']);
  });

  test('behavior: also beside one to the whole that is refused for a reason of its own, and charges nothing', async () => {
    const part = withdrawal('w-1', { memo: 'tag' });
    const priceless = withdrawal('w-2', { asset: PRICELESS });
    expect(await reserveWhilePaused(part, priceless)).toEqual(['block', 'block']);
  });
});

describe('recordEvents', () => {
  test('behavior: H66: an outflow that comes back is matched, though its withdrawal was read before a reorg took it off', async () => {
    const { world } = await readyWorld(policy());
    const { decisions } = world.store;
    const paid = 'withdrawal:w-1';
    const sight = (sequence: number) =>
      incoming({ ...outflow({ transaction: '0x1', withdrawalId: 'w-1' }), sequence });
    const rowId = `outflow:${CHAIN}:0x1:top`;
    const record = (store: DecisionStore, event: Decision.Incoming) =>
      recordEvents({ ...world.decision, decisions: store }, [event]);
    await record(decisions, incoming(withdrawal('w-1')));
    await record(decisions, sight(1));
    let reads = 0;
    const load = async (keys: Keys) => {
      reads += 1;
      if (reads > 1) return decisions.load(keys);
      const early = await decisions.load({ rows: [paid], items: [] });
      await record(decisions, { kind: 'removed', removed: { rowId, sequence: 2 } });
      const rest = await decisions.load(keys);
      return { ...rest, rows: new Map([...rest.rows, ...early.rows]) };
    };
    const [recorded] = await record({ ...decisions, load }, sight(3));
    expect(recorded).toMatchObject({ outcome: { result: 'matched-outflow', trips: [] } });
    const { rows } = await decisions.load({ rows: [paid, rowId], items: [] });
    expect([...rows.values()].map(({ state }) => state)).toEqual(['matched', 'matched']);
  });

  test('behavior: H79: what is resumed while a theft is read that goes there is stopped again', async () => {
    const { world } = await readyWorld(policy());
    const { decisions, incidents } = world.store;
    const operating = { ...world.decision, incidents, compilePolicy: compileSource };
    const pause = { kind: 'pause', commandId: 'pause-1', scope: WHOLE, reason: 'suspect' } as const;
    const paused = await operateBreaker(operating, { command: pause, actor: 'ann' });
    const incidentId = paused.kind === 'paused' ? paused.incidentId : '';
    const resume = { kind: 'resume', commandId: 'resume-1', incidentId, reason: 'clear' } as const;
    const resumed = () => operateBreaker(operating, { command: resume, actor: 'ann' });
    const theft = incoming(outflow({ transaction: '0x1' }, { memo: 'tag' }));
    await recordEvents({ ...world.decision, decisions: torn(decisions, resumed) }, [theft]);
    const { items } = await decisions.load({ rows: [], items: [WHOLE] });
    expect(items.get(WHOLE)?.breaker).toMatchObject({ state: 'open', epoch: 2 });
  });
});
