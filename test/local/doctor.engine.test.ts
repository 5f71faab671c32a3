import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Check, Finding } from '../../lib/actions/diagnose.ts';
import { createDynamoClient } from '../../lib/adapters/dynamodb/client.ts';
import { createDynamoStore } from '../../lib/adapters/dynamodb/store.ts';
import { BrokenError } from '../../lib/adapters/store-errors.ts';
import * as Draft from '../../lib/domain/draft.ts';
import * as Overlay from '../../lib/domain/overlay.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../lib/local/local-account.ts';
import { examine } from '../../lib/runtime/doctor.ts';
import type { World } from '../../lib/runtime/world.ts';
import { run } from '../cli/run.ts';
import * as Build from '../support/builders.ts';
import { enterFolder, type Launched, launch, POLICY, post } from '../support/local-runtime.ts';

const PRICED = POLICY.replace(
  'floorPriceUsd: "1500" }',
  'floorPriceUsd: "1500", price: { http: { id: ethereum, maxAge: 1h } } }',
);

let place: Awaited<ReturnType<typeof enterFolder>>;
let runtime: Launched;
beforeAll(async () => {
  place = await enterFolder();
  runtime = await launch({ policySource: POLICY });
  await runtime.tick();
}, 60_000);
afterAll(async () => {
  await runtime.stop();
  await place.leave();
});

async function found(replace: (world: World) => Partial<World> = () => ({})) {
  const { findings } = await examine({ ...runtime.world, ...replace(runtime.world) });
  return findings.filter(({ state }) => state !== 'ok');
}

function idOf({ incidentId }: { readonly incidentId: string }): string {
  return incidentId;
}

function checks(findings: readonly Finding[]): readonly Check[] {
  return [...new Set(findings.map(({ check }) => check))];
}

describe('examine', () => {
  test('default: a runtime that works has nothing to find, and doctor says so', async () => {
    await runtime.tick();
    expect(await found()).toEqual([]);
    const { code, out } = await run(['--url', runtime.url, 'doctor']);
    expect(out).toContain('version 1');
    expect(out.split('\n').filter((line) => line.startsWith('ok'))).toHaveLength(9);
    expect(code).toBe(0);
  });

  test('behavior: permissions: a read that is denied names what was looked at', async () => {
    const denied = async () => {
      const why = 'not authorized to perform dynamodb:Query';
      throw new BrokenError({ operation: 'open incidents', reason: 'AccessDeniedException', why });
    };
    const findings = await found(({ store }) => ({
      store: { ...store, incidents: { ...store.incidents, listOpen: denied } },
    }));
    expect(checks(findings)).toEqual(['permissions']);
    expect(findings[0]?.todo).toContain('docs/permissions.md');
  });

  test('behavior: clock: a host that is ten seconds off is found by the real guard', async () => {
    const { body } = await (await fetch(`${runtime.url}/tables`)).json().then((body) => ({ body }));
    const { endpoint, ledger, control } = body as Record<string, string>;
    const connection = { endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS };
    const client = createDynamoClient(connection as never);
    const wallClock = { nowMs: () => Date.now() + 10_000 };
    const tables = { ledger: ledger ?? '', control: control ?? '' };
    const store = createDynamoStore({ client, tables, wallClock });
    const findings = await found(() => ({ store }));
    client.destroy();
    expect(checks(findings)).toContain('clock');
    expect(findings.find(({ check }) => check === 'clock')?.todo).toMatch(/time/);
  });

  test('behavior: lease: without heartbeats the leases run out', async () => {
    const later = { nowMs: () => runtime.clock.nowMs() + 60_000 };
    const findings = await found(() => ({ clock: later }));
    expect(checks(findings)).toEqual(['lease']);
    expect(findings[0]?.what).toContain('heartbeat');
  });

  test('behavior: queues: a rejected event is found in its queue', async () => {
    await runtime.services.rejects.send('{"reason":"test"}');
    const findings = await found();
    expect(findings).toMatchObject([{ check: 'queues', what: 'rejects: 1 messages' }]);
    const { code, out } = await run(['--url', runtime.url, 'doctor']);
    expect([code, out]).toEqual([5, expect.stringContaining('docs/runbooks/events-rejected.md')]);
  });

  test('behavior: stream: an incident that was never projected', async () => {
    const scope = 'wallet:hot-3';
    const pause = { command: 'pause', commandId: 'doctor-pause-1', scope, reason: 'test' };
    await post(runtime, '/commands', pause);
    await runtime.idle();
    const clock = { nowMs: () => runtime.clock.nowMs() + 31_000 };
    const told = await found(() => ({ clock }));
    expect(checks(told)).not.toContain('stream');
    const findings = await found(({ store }) => ({
      clock,
      store: { ...store, projections: { ...store.projections, isPaged: async () => false } },
    }));
    expect(checks(findings)).toContain('stream');
  });

  test('behavior: breakers: one that was written closed past the commands', async () => {
    const { decisions } = runtime.world.store;
    const { items } = await decisions.load({ rows: [], items: ['wallet:hot-3'] });
    const item = items.get('wallet:hot-3');
    if (!item) throw new Error('nothing is paused');
    const none = { rows: [], incidents: [], causes: [], alerts: [] };
    const closed = { ...item, version: item.version + 1, breaker: { state: 'closed', epoch: 1 } };
    const write = { key: 'wallet:hot-3', item: closed as never, expected: item.version };
    await decisions.commit({ ...none, items: [write], decisionId: 'forged-1', atMs: 1 });
    const findings = await found();
    expect(checks(findings)).toContain('breakers');
    expect(findings.find(({ check }) => check === 'breakers')?.what).toContain('wallet:hot-3');
  });

  test('behavior: breakers: an overlay holds its incident until it is lifted', async () => {
    const { decisions, incidents } = runtime.world.store;
    const scope = 'wallet:hot-2';
    const draft = Draft.start(
      Build.context({ nowMs: runtime.clock.nowMs(), newIncidentId: () => '1HA4VYR80K2M3' }),
      await decisions.load({ rows: [], items: [scope, 'global'] }),
    );
    const set = Overlay.set(draft, { scope, shareBps: 2_500, by: 'ops', reason: 'r', rowId: 'c' });
    if (set.kind === 'refused') throw new Error(set.why);
    expect(await decisions.commit(Draft.changes(draft))).toBe('committed');
    const about = async () =>
      (await found()).filter((one) => one.check === 'breakers' && one.what.includes(scope));
    expect(await about()).toEqual([]);
    const incidentId = set.incidentId;
    const lift = { command: 'resume', commandId: 'doctor-lift-1', incidentId, reason: 'over' };
    expect(await post(runtime, '/commands', lift)).toMatchObject({
      status: 200,
      body: { kind: 'resumed' },
    });
    expect((await incidents.get(incidentId))?.state).toBe('closed');
    expect(await about()).toEqual([]);
  });

  test('behavior: breakers: a resume of a theft with what was quarantined is no forged closing', async () => {
    const { body } = await (await fetch(`${runtime.url}/tables`)).json().then((body) => ({ body }));
    const { endpoint, control = '' } = body as Record<string, string>;
    const detail = {
      transaction: '0xdoctor',
      place: 'top',
      wallet: Build.HOT_1,
      asset: Build.USDC,
      destination: Build.CUSTOMER,
      amount: '1',
    };
    const before = new Set((await runtime.world.store.incidents.listOpen(100)).map(idOf));
    await runtime.submit([{ detailType: 'outflow.observed', detail }]);
    await runtime.idle();
    const opened = await runtime.world.store.incidents.listOpen(100);
    const [main, ...also] = opened
      .filter((one) => !before.has(one.incidentId))
      .sort((left, right) => Number(!!left.quarantinedBy) - Number(!!right.quarantinedBy))
      .map(idOf);
    expect(also.length).toBeGreaterThan(1);
    const resume = { command: 'resume', commandId: 'doctor-resume-1', incidentId: main, also };
    const answer = await post(runtime, '/commands', { ...resume, reason: 'a test' });
    expect(answer.status).toBe(200);
    const closings = (await found()).filter(({ check }) => check === 'breakers');
    expect(closings.map(({ what }) => what).join()).not.toMatch(/hot-1|vault-a|destination/);
    const client = createDynamoClient({
      endpoint,
      region: LOCAL_REGION,
      credentials: LOCAL_CREDENTIALS,
    } as never);
    for (const sk of [main, ...also]) {
      const Key = { pk: { S: 'closed' }, sk: { S: sk ?? '' } };
      const { Item } = await client.send(new GetItemCommand({ TableName: control, Key }));
      expect(Item, sk).toBeDefined();
    }
    client.destroy();
  });

  test('behavior: keys: a key that does not answer', async () => {
    const jwks = async () => {
      throw new Error('DisabledException: the key is disabled');
    };
    const findings = await found(({ signer }) => ({ signer: { ...signer, jwks } as never }));
    expect(findings.find(({ check }) => check === 'keys')?.what).toContain('disabled');
  });

  test('behavior: prices: a feed that never said anything; policy: its text was changed', async () => {
    const apply = { command: 'policy.apply', commandId: 'doctor-apply-1', source: PRICED };
    expect((await post(runtime, '/commands', apply)).status).toBe(200);
    expect(checks(await found())).toContain('prices');
    const forged = await found(({ store }) => ({
      store: {
        ...store,
        policies: {
          load: async (version) => {
            const stored = await store.policies.load(version);
            return stored && { ...stored, source: `${stored.source}# changed` };
          },
        },
      },
    }));
    expect(checks(forged)).toContain('policy');
  });

  test('behavior: policy: none is in force', async () => {
    const findings = await found(({ decision }) => ({
      decision: {
        ...decision,
        policy: {
          ...decision.policy,
          refresh: async () => ({ ...(await decision.policy.refresh()), version: 0 }),
        },
      },
    }));
    expect(findings.find(({ check }) => check === 'policy')?.todo).toContain('policy apply');
  });
});
