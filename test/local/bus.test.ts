import { describe, expect, test } from 'vitest';
import { createBus } from '../../lib/local/bus.ts';

const clock = { nowMs: () => Date.parse('2023-09-12T13:21:00.987Z') };
const entry = { source: 'exchange', detailType: 'withdrawal.reported', detail: '{"a":"1"}' };

function recorder() {
  const envelopes: unknown[] = [];
  const target = async (envelope: string) => {
    envelopes.push(JSON.parse(envelope));
  };
  return { envelopes, target };
}

describe('createBus', () => {
  test('default', async () => {
    const { envelopes, target } = recorder();
    const bus = createBus({ name: 'events', clock, newId: () => 'id-1', rules: [{ target }] });
    expect(bus.arn).toBe('arn:aws:events:local-1:000000000000:event-bus/events');
    expect(await bus.putEvents([entry])).toEqual([{ eventId: 'id-1' }]);
    expect(envelopes).toEqual([
      {
        version: '0',
        id: 'id-1',
        'detail-type': 'withdrawal.reported',
        source: 'exchange',
        account: '000000000000',
        time: '2023-09-12T13:21:00Z',
        region: 'local-1',
        resources: [],
        detail: { a: '1' },
      },
    ]);
  });

  test('behavior: routes by detail-type', async () => {
    const all = recorder();
    const some = recorder();
    const bus = createBus({
      name: 'events',
      clock,
      newId: () => 'id',
      rules: [{ target: all.target }, { detailTypes: ['heartbeat'], target: some.target }],
    });
    await bus.putEvents([entry, { ...entry, detailType: 'heartbeat', atMs: 0 }]);
    expect(all.envelopes).toHaveLength(2);
    expect(some.envelopes).toMatchObject([
      { 'detail-type': 'heartbeat', time: '1970-01-01T00:00:00Z' },
    ]);
  });

  test.each([
    ['not JSON', { detail: '{' }, 'MalformedDetail'],
    ['no object', { detail: '[1]' }, 'MalformedDetail'],
    ['no source', { source: '' }, 'InvalidArgument'],
    ['no detail-type', { detailType: '' }, 'InvalidArgument'],
  ])('error: %s', async (_, wrong, errorCode) => {
    const { envelopes, target } = recorder();
    const bus = createBus({ name: 'events', clock, newId: () => 'id', rules: [{ target }] });
    expect(await bus.putEvents([{ ...entry, ...wrong }, entry])).toMatchObject([
      { errorCode },
      { eventId: 'id' },
    ]);
    expect(envelopes).toHaveLength(1);
  });

  test('error: a target that fails did not take the event', async () => {
    const target = () => Promise.reject(new Error('disk full'));
    const bus = createBus({ name: 'events', clock, newId: () => 'id', rules: [{ target }] });
    expect(await bus.putEvents([entry])).toEqual([
      { errorCode: 'InternalFailure', errorMessage: 'disk full' },
    ]);
  });
});
