import { describe, expect, test } from 'vitest';
import { noteRefusal, reportRefusal } from '../../lib/actions/report-refusal.ts';
import { readyWorld, testWorld, unreadable } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const ASKED = { why: 'it is no command', who: 'sns:topic', command: 'pause' };
const REFUSED = { messageId: 'm-1', ...ASKED };

describe('noteRefusal', () => {
  test('default: H51 each refused command is an entry, and nobody is paged', async () => {
    const made = await readyWorld(Build.policy());
    made.records.length = 0;
    const deps = { ...made.world.decision, audit: made.world.store.audit };
    await noteRefusal(deps, ASKED);
    await noteRefusal(deps, ASKED);
    expect(made.records.length).toBe(2);
    expect(made.records[0]).toMatchObject({
      type: 'entry-added',
      entry: { who: 'sns:topic', what: 'command.refused', before: 'pause', reason: ASKED.why },
    });
  });

  test('error: what cannot be kept throws', async () => {
    const { world } = await readyWorld(Build.policy());
    const note = async () => Promise.reject(new Error('down'));
    await expect(noteRefusal({ ...world.decision, audit: { note } }, ASKED)).rejects.toThrow(
      'down',
    );
  });
});

describe('reportRefusal', () => {
  test('default: one alert for one message, however often it comes', async () => {
    const made = await readyWorld(Build.policy());
    made.records.length = 0;
    await reportRefusal(made.world.decision, REFUSED);
    await reportRefusal(made.world.decision, REFUSED);
    await reportRefusal(made.world.decision, { ...REFUSED, messageId: 'm-2' });
    expect(made.records).toMatchObject([
      { type: 'alert-raised', alert: { alertId: 'refused|m-1', kind: 'refused' } },
      { type: 'entry-added', entry: { entryId: 'refused:m-1', who: 'sns:topic' } },
      { type: 'alert-raised', alert: { alertId: 'refused|m-2' } },
      { type: 'entry-added', entry: { entryId: 'refused:m-2', before: 'pause' } },
    ]);
  });

  test('behavior: without a policy, and under one that cannot be read', async () => {
    const bare = testWorld();
    await reportRefusal(bare.world.decision, REFUSED);
    expect(bare.records).toMatchObject([{ type: 'alert-raised' }, { type: 'entry-added' }]);
    const made = await readyWorld(Build.policy());
    const broken = testWorld(() => ({ ...made.world, store: unreadable(made.world.store) }));
    await reportRefusal(broken.world.decision, REFUSED);
    expect(made.records.at(-2)).toMatchObject({ type: 'alert-raised' });
  });

  test('error: what cannot be committed throws', async () => {
    const { world } = await readyWorld(Build.policy());
    const down = async () => Promise.reject(new Error('down'));
    const deps = { ...world.decision, decisions: { load: down, commit: down } };
    await expect(reportRefusal(deps, REFUSED)).rejects.toThrow('down');
  });
});
