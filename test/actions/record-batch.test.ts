import { describe, expect, test } from 'vitest';
import { type Entry, recordBatch, WaitingError } from '../../lib/actions/record-batch.ts';
import type { DecisionStore } from '../../lib/ports.ts';
import { ledgerOf, readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { expectMetersToBeSums } from '../support/ledger-check.ts';
import { failed, replaced, settled } from '../support/outcomes.ts';

function said(outcome: Extract<Entry, { kind: 'outcome' }>['outcome']): Entry {
  return { kind: 'outcome', outcome };
}

function report(id: string): Entry {
  return Build.incoming(Build.withdrawal(id));
}

function seen(transaction: string, withdrawalId: string): Entry {
  return Build.incoming(Build.outflow({ transaction, withdrawalId }));
}

async function record(
  { world }: TestWorld,
  entries: readonly Entry[],
  decisions: DecisionStore = world.decision.decisions,
): Promise<readonly string[]> {
  const deps = { ...world.decision, decisions, alerts: world.store.alerts };
  const recorded = await recordBatch(deps, entries);
  return recorded.map((one) => {
    if (one.kind === 'failed') return (one.error as Error).name;
    return one.kind === 'closed' ? one.result.kind : one.outcome.result;
  });
}

/** A store that fails once to commit what touches a row. */
function failingOnce({ world }: TestWorld, rowId: string): DecisionStore {
  const { load, commit } = world.decision.decisions;
  let left = 1;
  return {
    load,
    commit: async (changes) => {
      const isHit = changes.rows.some(({ row }) => row.rowId === rowId);
      if (isHit && left > 0) {
        left -= 1;
        throw new Error('down');
      }
      return commit(changes);
    },
  };
}

describe('recordBatch', () => {
  test('default: results in the order of the batch', async () => {
    const made = await readyWorld(Build.policy());
    const entries = [
      said(failed('a')),
      report('a'),
      said(settled('b')),
      seen('0xb', 'b'),
      report('b'),
    ];
    expect(await record(made, entries)).toEqual([
      'recorded',
      'new-withdrawal',
      'recorded',
      'matched-outflow',
      'new-withdrawal',
    ]);
    expect(await made.world.store.incidents.list(1)).toEqual([]);
    expectMetersToBeSums(await ledgerOf(made.world.store, made.committed));
  });

  test('behavior: an outflow in the same batch is seen first, and nothing is given back', async () => {
    const made = await readyWorld(Build.policy());
    const entries = [said(failed('a')), seen('0xa', 'a'), report('a')];
    expect(await record(made, entries)).toEqual(['refused', 'matched-outflow', 'new-withdrawal']);
    expect(await made.world.store.incidents.list(1)).toEqual([]);
  });

  test('behavior: H22: report, both transactions and the replacement in any order count once', async () => {
    const entries = [report('a'), seen('0xA', 'a'), said(replaced('a', '0xa')), seen('0xb', 'a')];
    const event = entries[1];
    if (event?.kind !== 'transfer' || event.event.kind !== 'outflow') throw new Error('no outflow');
    const first = { ...event, event: { ...event.event, transaction: '0xa' } };
    const all = [entries[0]!, first, entries[2]!, entries[3]!];
    for (const order of [all, all.toReversed(), [all[2]!, all[3]!, all[0]!, all[1]!]]) {
      const made = await readyWorld(Build.policy());
      await record(made, order);
      expect(await made.world.store.incidents.list(1)).toEqual([]);
      const { rows } = await ledgerOf(made.world.store, made.committed);
      expect(rows.get('withdrawal:a')?.link).toBe('outflow:eip155:1:0xb:top');
      expect(rows.get('outflow:eip155:1:0xa:top')?.state).toBe('replaced');
    }
  });

  test('behavior: an outcome whose report fails in the same call waits with it', async () => {
    const made = await readyWorld(Build.policy());
    const entries = [report('a'), said(failed('a')), said(failed('b'))];
    const store = failingOnce(made, 'withdrawal:a');
    expect(await record(made, entries, store)).toEqual([
      'Error',
      new WaitingError().name,
      'refused',
    ]);
    expect(await record(made, entries, store)).toEqual(['new-withdrawal', 'recorded', 'refused']);
  });

  test('behavior: H22: an outflow whose replacement fails in the same call waits with it', async () => {
    const made = await readyWorld(Build.policy());
    await record(made, [report('a'), seen('0xa', 'a')]);
    const entries = [seen('0xb', 'a'), said(replaced('a', '0xa'))];
    const store = failingOnce(made, 'replaced:a:0xa');
    expect(await record(made, entries, store)).toEqual([new WaitingError().name, 'Error']);
    expect(await record(made, entries, store)).toEqual(['matched-outflow', 'recorded']);
    expect(await made.world.store.incidents.list(1)).toEqual([]);
  });

  test('behavior: H44: an empty batch', async () => {
    expect(await record(await readyWorld(Build.policy()), [])).toEqual([]);
  });
});
