import { describe, expect, test } from 'vitest';
import { readEvents } from '../../lib/cli/read-events.ts';
import { event } from './events.ts';

describe('readEvents', () => {
  test('default', () => {
    const text = `${JSON.stringify(event(1))}\n\n${JSON.stringify(event(2))}\n`;
    expect(readEvents(text)).toEqual({ valid: [event(1), event(2)], invalid: [] });
  });

  test('behavior: a JSON array', () => {
    expect(readEvents(JSON.stringify([event(1), event(2)], null, 2))).toEqual({
      valid: [event(1), event(2)],
      invalid: [],
    });
  });

  test('behavior: one object over several lines', () => {
    expect(readEvents(JSON.stringify(event(1), null, 2)).valid).toEqual([event(1)]);
  });

  test('behavior: of a full envelope what a producer chooses', () => {
    const envelope = { version: '0', id: 'x', source: 'acme.payouts', account: '1', ...event(1) };
    expect(readEvents(JSON.stringify(envelope)).valid).toEqual([
      { source: 'acme.payouts', ...event(1) },
    ]);
  });

  test.each(['', '\n \n', '[]'])('behavior: no events in %j', (text) => {
    expect(readEvents(text)).toEqual({ valid: [], invalid: [] });
  });

  test('error: names line, field and reason', () => {
    const bad = event(2, { amount: '-5', asset: 'ETH' });
    const lines = [JSON.stringify(event(1)), '{"detail-type"', '', JSON.stringify(bad)];
    const { valid, invalid } = readEvents(lines.join('\n'));
    expect(valid).toEqual([event(1)]);
    expect(invalid).toMatchInlineSnapshot(`
      [
        {
          "place": "line 2",
          "problems": [
            "event: is not JSON",
          ],
        },
        {
          "place": "line 4",
          "problems": [
            "detail.asset: "ETH" is not a CAIP-19 asset such as "eip155:1/slip44:60" or "eip155:1/erc20:0x…"",
            "detail.amount: must be a decimal string of base units such as "1000000", without sign, point or exponent",
          ],
        },
      ]
    `);
  });

  test('error: names the event of an array', () => {
    const { invalid } = readEvents(JSON.stringify([event(1), event(2, { wallet: 'hot' })]));
    expect(invalid.map(({ place }) => place)).toEqual(['event 2']);
  });

  test('error: a broken array is one problem', () => {
    expect(readEvents('[\n{},\n').invalid).toEqual([
      { place: 'the array', problems: ['event: is not JSON'] },
    ]);
  });

  test('error: a heartbeat sent by hand would prove health that is not there', () => {
    const heartbeat = { 'detail-type': 'heartbeat', detail: { sentAt: '2023-09-12T13:21:04Z' } };
    expect(readEvents(JSON.stringify(heartbeat)).invalid).toMatchInlineSnapshot(`
      [
        {
          "place": "line 1",
          "problems": [
            "detail-type: heartbeat is for tick alone; sent by hand it would prove health that is not there",
          ],
        },
      ]
    `);
  });
});
