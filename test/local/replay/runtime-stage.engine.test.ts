import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadIncident } from '../../../lib/local/replay/load-incident.ts';
import { replay } from '../../../lib/local/replay/run.ts';
import { createRuntimeStage } from '../../../lib/local/replay/runtime-stage.ts';
import { buildTimeline } from '../../../lib/local/replay/timeline.ts';
import * as Build from '../../support/builders.ts';
import { enterFolder, launch } from '../../support/local-runtime.ts';
import { disagreements, keptIn } from '../../support/recount.ts';

const EXAMPLES = join(import.meta.dirname, '../../../examples');
const HALF_AN_HOUR_MS = 1_800_000;
/** Far above what a trip takes here, on a machine that does much else. */
const SOON_MS = 5_000;

let place: Awaited<ReturnType<typeof enterFolder>>;
beforeAll(async () => {
  place = await enterFolder();
});
afterAll(() => place.leave());

async function replayed(name: string) {
  const incident = loadIncident(join(EXAMPLES, `incidents/${name}.csv`));
  const traffic = { seed: 'stage', beforeMs: HALF_AN_HOUR_MS, afterMs: HALF_AN_HOUR_MS };
  const timeline = buildTimeline({ incident, traffic });
  const folder = join(place.path, name);
  const runtime = await launch({
    folder,
    clock: { startMs: timeline.startMs, speed: 1 },
    policySource: readFileSync(join(EXAMPLES, `policies/${name}.yaml`), 'utf8'),
  });
  const result = await replay(await createRuntimeStage(runtime), timeline);
  await runtime.stop();
  return { ...result, timeline, runtime, folder, stolen: incident.outflows };
}

describe('createRuntimeStage', () => {
  test('behavior: Ronin trips by volume at its first outflow, and the second is refused', async () => {
    const { tripped, tally, timeline, runtime, folder, stolen } = await replayed('ronin-2022');
    expect(tripped?.item).toBe(timeline.items.find(({ kind }) => kind === 'incident'));
    expect(tripped?.incident).toMatchObject({
      scope: 'wallet:ronin-ethereum',
      first: { kind: 'limit' },
    });
    expect(stolen).toHaveLength(2);
    expect(tally).toMatchObject({ stolenBefore: 1, stolenAfter: 0, stopped: 1, falsePauses: 0 });
    expect(tally.stoppedNotional).toBeGreaterThan(Build.usd(25_000_000));
    expect(tripped?.sent.toTripMs).toBeLessThan(SOON_MS);
    expect(tripped?.sent.toFlagMs).toBeLessThan(SOON_MS);
    expect(runtime.pages.filter(({ severity }) => severity === 'page')).toHaveLength(1);
    expect(disagreements(await keptIn(folder))).toEqual([]);
  });

  test('behavior: Stake trips at its first outflow, which nobody approved', async () => {
    const { tripped, tally, timeline, runtime, folder, stolen } = await replayed('stake-2023');
    expect(tripped?.item).toBe(timeline.items.find(({ kind }) => kind === 'incident'));
    expect(tripped?.incident).toMatchObject({
      scope: 'key-domain:stake-hot',
      first: { kind: 'unmatched' },
    });
    expect(tally).toMatchObject({ stolenBefore: 1, stolenAfter: stolen.length - 1, stopped: 0 });
    expect(tally.refused).toBeGreaterThan(0);
    expect(tally.falsePauses).toBe(0);
    expect(tripped?.sent.toTripMs).toBeLessThan(SOON_MS);
    const tripPages = runtime.pages.filter(({ subject }) => subject.startsWith('TRIPPED'));
    expect(tripPages[0]?.subject).toMatch(/^TRIPPED key-domain:stake-hot: unmatched \$/);
    expect(disagreements(await keptIn(folder))).toEqual([]);
  });
});
