import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rebuildHere } from '../../lib/cli/rebuild-here.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../lib/local/local-account.ts';
import { loadIncident } from '../../lib/local/replay/load-incident.ts';
import { replay } from '../../lib/local/replay/run.ts';
import { createRuntimeStage } from '../../lib/local/replay/runtime-stage.ts';
import { buildTimeline } from '../../lib/local/replay/timeline.ts';
import { run } from '../cli/run.ts';
import { enterFolder, type Launched, launch } from '../support/local-runtime.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const QUARTER_MS = 900_000;

let place: Awaited<ReturnType<typeof enterFolder>>;
let runtime: Launched;
beforeAll(async () => {
  place = await enterFolder();
});
afterAll(async () => {
  await runtime.stop();
  await place.leave();
});

async function tables() {
  const answer = await fetch(`${runtime.url}/tables`);
  const { endpoint, ledger, control } = (await answer.json()) as Record<string, string>;
  const client = { endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS };
  return { ledger: ledger ?? '', control: control ?? '', client };
}

describe('rebuildHere', () => {
  test('default: after the CoinEx drain every meter is the sum of its rows, slot by slot; H87', async () => {
    const incident = loadIncident(join(EXAMPLES, 'incidents/coinex-2023.csv'));
    const traffic = { seed: 'rebuild', beforeMs: QUARTER_MS, afterMs: QUARTER_MS };
    const timeline = buildTimeline({ incident, traffic });
    runtime = await launch({
      clock: { startMs: timeline.startMs, speed: 1 },
      policySource: readFileSync(join(EXAMPLES, 'policies/coinex-2023.yaml'), 'utf8'),
    });
    const { tripped } = await replay(await createRuntimeStage(runtime), timeline);
    // What a theft came from and went to is stopped beside it; either may be seen first.
    const { incidents } = runtime.world.store;
    const shown = await incidents.get(tripped?.incident.incidentId ?? '');
    const theft = shown?.quarantinedBy ? await incidents.get(shown.quarantinedBy) : shown;
    expect(theft?.scope).toBe('key-domain:coinex-hot');
    const options = { write: false, nowMs: runtime.clock.nowMs };
    const rebuilt = await rebuildHere(await tables(), options);
    console.info(`rebuild: ${rebuilt.rows} rows, ${rebuilt.meters} meters`);
    expect(rebuilt.rows).toBeGreaterThan(40);
    expect(rebuilt.differences).toEqual([]);
    const { code, out } = await run(['--url', runtime.url, 'rebuild']);
    expect([code, out]).toEqual([0, expect.stringContaining('they agree slot by slot')]);
  }, 300_000);

  test('behavior: a meter that was rolled back is found and raised, and never lowered; H88', async () => {
    const { decisions } = runtime.world.store;
    const { items } = await decisions.load({ rows: [], items: ['global'] });
    const global = items.get('global');
    if (!global) throw new Error('nothing was counted');
    const none = { rows: [], incidents: [], causes: [], alerts: [] };
    const meter = { newestMs: global.meter.newestMs, steps: global.meter.steps.map(() => []) };
    const emptied = { ...global, version: global.version + 1, meter };
    const write = { key: 'global', item: emptied, expected: global.version };
    await decisions.commit({ ...none, items: [write], decisionId: 'rolled-back-1', atMs: 1 });
    const found = await run(['--url', runtime.url, 'rebuild']);
    expect([found.code, found.out]).toEqual([5, expect.stringContaining('global, step')]);
    const mended = await run(['--url', runtime.url, 'rebuild', '--write']);
    expect([mended.code, mended.out]).toEqual([0, expect.stringContaining('raised global')]);
    const after = await run(['--url', runtime.url, 'rebuild']);
    expect(after.out).toContain('they agree slot by slot');
  }, 120_000);
});
