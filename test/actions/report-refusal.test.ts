import { describe, expect, test } from 'vitest';
import { reportRefusal } from '../../lib/actions/report-refusal.ts';
import { readyWorld, testWorld, unreadable } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const REFUSED = { messageId: 'm-1', why: 'it is no command' };

describe('reportRefusal', () => {
  test('default: one alert for one message, however often it comes', async () => {
    const made = await readyWorld(Build.policy());
    made.records.length = 0;
    await reportRefusal(made.world.decision, REFUSED);
    await reportRefusal(made.world.decision, REFUSED);
    await reportRefusal(made.world.decision, { ...REFUSED, messageId: 'm-2' });
    expect(made.records).toMatchObject([
      { type: 'alert-raised', alert: { alertId: 'refused|m-1', kind: 'refused' } },
      { type: 'alert-raised', alert: { alertId: 'refused|m-2' } },
    ]);
  });

  test('behavior: without a policy, and under one that cannot be read', async () => {
    const bare = testWorld();
    await reportRefusal(bare.world.decision, REFUSED);
    expect(bare.records).toMatchObject([{ type: 'alert-raised' }]);
    const made = await readyWorld(Build.policy());
    const broken = testWorld(() => ({ ...made.world, store: unreadable(made.world.store) }));
    await reportRefusal(broken.world.decision, REFUSED);
    expect(made.records.at(-1)).toMatchObject({ type: 'alert-raised' });
  });

  test('error: what cannot be committed throws', async () => {
    const { world } = await readyWorld(Build.policy());
    const down = async () => Promise.reject(new Error('down'));
    const deps = { ...world.decision, decisions: { load: down, commit: down } };
    await expect(reportRefusal(deps, REFUSED)).rejects.toThrow('down');
  });
});
