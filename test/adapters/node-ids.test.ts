import { describe, expect, test } from 'vitest';
import { nodeIds } from '../../lib/adapters/node-ids.ts';

describe('nodeIds', () => {
  test('default: a decision id is a request token of 36 characters', () => {
    expect(nodeIds.decisionId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(nodeIds.decisionId()).not.toBe(nodeIds.decisionId());
  });

  test('behavior: incident ids sort by time', () => {
    const times = [0, 31, 32, 1_694_524_860_000, 1_694_524_860_001, 2 ** 45 - 1];
    const ids = times.map(nodeIds.incidentId);
    expect([...ids].reverse().sort()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{13}$/);
  });

  test('behavior: two incidents of one millisecond differ', () => {
    expect(nodeIds.incidentId(5)).not.toBe(nodeIds.incidentId(5));
  });
});
