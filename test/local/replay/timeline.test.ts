import { describe, expect, test } from 'vitest';
import { fromEnvelope } from '../../../lib/adapters/wire/event.ts';
import { loadIncident } from '../../../lib/local/replay/load-incident.ts';
import * as Timeline from '../../../lib/local/replay/timeline.ts';

const FOLDER = `${import.meta.dirname}/../../../examples/incidents/`;
const NAMES = ['coinex-2023', 'ronin-2022', 'stake-2023'];
const TRAFFIC = { seed: '1' };

function build(name: string, more: { ratePerDay?: number; eventsMax?: number } = {}) {
  const incident = loadIncident(`${FOLDER}${name}.csv`);
  const { ratePerDay, eventsMax } = more;
  const timeline = Timeline.buildTimeline({
    incident,
    traffic: { ...TRAFFIC, ratePerDay },
    eventsMax,
  });
  return { incident, timeline };
}

describe('buildTimeline', () => {
  test('default', () => {
    const { incident, timeline } = build('coinex-2023');
    const { firstTheftMs } = incident.milestones;
    const normal = timeline.items.filter((item) => item.kind === 'normal');
    expect(timeline.items).toHaveLength(18 + 2 * timeline.normalCount);
    expect(timeline.droppedCount).toBe(0);
    expect(normal.some((item) => item.atMs < firstTheftMs - 5 * 3_600_000)).toBe(true);
    expect(normal.some((item) => item.atMs > firstTheftMs + 2 * 3_600_000)).toBe(true);
    expect(timeline.items.find((item) => item.kind === 'incident')).toMatchInlineSnapshot(`
      {
        "atMs": 1694524859000,
        "detail": {
          "amount": "4947000000000000000000",
          "asset": "eip155:1/slip44:60",
          "destination": "eip155:1:0x8bf8cd7f001d0584f98f53a3d82ed0ba498cc3de",
          "observedAt": "2023-09-12T13:20:59.000Z",
          "place": "top",
          "transaction": "0xb6a07c2c591e43abc63add833aaf4d6ab47e66f05cf6b49a9dda7c2317b2d61c",
          "wallet": "eip155:1:0xccd2e423cfa782cad7399442889ef336e32cd791",
        },
        "detailType": "outflow.observed",
        "kind": "incident",
        "note": "ETH; approximate amount; synthetic wallet",
        "outflow": {
          "account": "eip155:1:0xccd2e423cfa782cad7399442889ef336e32cd791",
          "aggregate": false,
          "amount": 4947000000000000000000n,
          "asset": "eip155:1/slip44:60",
          "atMs": 1694524859000,
          "decimals": 18,
          "destination": "eip155:1:0x8bf8cd7f001d0584f98f53a3d82ed0ba498cc3de",
          "line": 2,
          "notionalMicroUsd": 7900000000000n,
          "place": "top",
          "precision": "approximate",
          "sourceUrl": "https://rekt.news/coinex-rekt/",
          "symbol": "ETH",
          "synthetic": [
            "wallet",
          ],
          "transaction": "0xb6a07c2c591e43abc63add833aaf4d6ab47e66f05cf6b49a9dda7c2317b2d61c",
          "wallet": "coinex-ethereum",
        },
      }
    `);
  });

  test.each(NAMES)(
    'behavior: %s is in order, and every event is one that ingest accepts',
    (name) => {
      const { timeline } = build(name);
      for (const [index, item] of timeline.items.entries()) {
        expect(item.atMs).toBeGreaterThanOrEqual(timeline.items[index - 1]?.atMs ?? 0);
        expect(() =>
          fromEnvelope({ 'detail-type': item.detailType, detail: item.detail }),
        ).not.toThrow();
      }
    },
  );

  test('behavior: the same every time', () => {
    expect(build('stake-2023').timeline).toEqual(build('stake-2023').timeline);
  });

  test('behavior: every ordinary withdrawal is reported, and seen seconds later as the same money', () => {
    const { timeline } = build('stake-2023');
    const normal = timeline.items.filter((item) => item.kind === 'normal');
    const reports = normal.filter((item) => item.detailType === 'withdrawal.reported');
    expect(reports).toHaveLength(timeline.normalCount);
    for (const report of reports) {
      const outflows = normal.filter(
        (item) =>
          item.detailType === 'outflow.observed' &&
          item.detail.withdrawalId === report.detail.withdrawalId,
      );
      const { actor: _, ...money } = report.detail;
      expect(outflows).toHaveLength(1);
      expect(outflows[0]?.detail).toMatchObject(money);
      expect(outflows[0]!.atMs - report.atMs).toBeGreaterThanOrEqual(5_000);
      expect(outflows[0]!.atMs - report.atMs).toBeLessThan(45_000);
    }
  });

  test.each(['coinex-2023', 'stake-2023'])(
    'behavior: the outflows of %s name no withdrawal',
    (name) => {
      const { incident, timeline } = build(name);
      const stolen = timeline.items.filter((item) => item.kind === 'incident');
      expect(stolen).toHaveLength(incident.outflows.length);
      expect(stolen.every((item) => item.detailType === 'outflow.observed')).toBe(true);
      expect(stolen.every((item) => !('withdrawalId' in item.detail))).toBe(true);
      expect(stolen[0]?.atMs).toBe(incident.milestones.firstTheftMs);
    },
  );

  test('behavior: Ronin enters as approved withdrawals, each followed by its outflow', () => {
    const { timeline } = build('ronin-2022');
    const stolen = timeline.items.filter((item) => item.kind === 'incident');
    expect(stolen.map((item) => [item.detailType, 'withdrawalId' in item.detail])).toEqual([
      ['withdrawal.reported', true],
      ['outflow.observed', true],
      ['withdrawal.reported', true],
      ['outflow.observed', true],
    ]);
    expect(stolen[0]?.atMs).toBe(Date.parse('2022-03-23T13:29:09Z'));
  });

  test('behavior: what no source states is said in the note, and nothing more', () => {
    const { timeline } = build('coinex-2023');
    const notes = timeline.items
      .filter((item) => item.kind === 'incident')
      .map((item) => item.note);
    expect(notes.slice(0, 2)).toEqual([
      'ETH; approximate amount; synthetic wallet',
      'DAI; approximate amount; synthetic time, wallet, transaction, place',
    ]);
    expect(notes).toContain(
      'mixed (TRX + TRC-20); aggregate: many transfers, one event; synthetic time, wallet, transaction, place, amount',
    );
  });

  test('args: eventsMax drops the ordinary withdrawals farthest from the theft, in pairs, and says so', () => {
    const { timeline, incident } = build('coinex-2023', { eventsMax: 101 });
    const distances = timeline.items.map((item) =>
      Math.abs(item.atMs - incident.milestones.firstTheftMs),
    );
    expect(timeline.items).toHaveLength(100);
    expect(timeline).toMatchObject({ normalCount: 41 });
    expect(timeline.droppedCount).toBeGreaterThan(20);
    expect(Math.max(...distances)).toBeLessThan(Timeline.BEFORE_MS);
  });

  test('behavior: at most 2,000 events at any rate', () => {
    const { timeline } = build('coinex-2023', { ratePerDay: 20_000 });
    expect(timeline.items).toHaveLength(Timeline.EVENTS_MAX);
  });

  test('error: an incident that alone is too large', () => {
    expect(() => build('coinex-2023', { eventsMax: 17 })).toThrow(
      '18 events, and a timeline holds 17',
    );
    expect(build('coinex-2023', { eventsMax: 18 }).timeline.normalCount).toBe(0);
  });
});
