import { describe, expect, test } from 'vitest';
import { onStage } from '../../bench/trip.ts';

describe('onStage', () => {
  test('behavior: a trip, its flag and its page are each seen, and the folder stays as it was', async () => {
    const before = process.cwd();
    const trips = await onStage(2, async (stage) => [await stage.trip(0), await stage.trip(1)]);
    for (const trip of trips) {
      for (const ms of Object.values(trip)) expect(Number.isFinite(ms)).toBe(true);
      expect(trip.toTripMs).toBeGreaterThan(0);
      expect(trip.toFlagMs).toBeGreaterThan(0);
    }
    expect(process.cwd()).toBe(before);
    expect(process.env.DYNAMODB_ENDPOINT).toBeUndefined();
  });

  test('error: a wallet trips once', async () => {
    const twice = onStage(1, async (stage) => {
      await stage.trip(0);
      return stage.trip(0);
    });
    await expect(twice).rejects.toThrow('at first wallet:hot-0 is paused');
  });
});
