/** One cell of the fault matrix: what is answered while one dependency fails in one way. */

import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { projectState } from '../../lib/actions/project-state.ts';
import { readFlag } from '../../lib/actions/read-flag.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { renewLeases } from '../../lib/actions/renew-leases.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import type { AdmissionSigner } from '../../lib/ports.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { broken, type Dependency, type Fault, type How, SLOW_MS, STALE_MS } from './faults.ts';
import { brokenKms } from './kms.ts';

/** What is answered at once, what when leases have run out or were renewed, and what people hear. */
export type Cell = {
  readonly dependency: Dependency;
  readonly fault: Fault;
  readonly reserve: string;
  readonly flag: string;
  readonly reserveLater: string;
  readonly flagLater: string;
  readonly pause: string;
  readonly alarm: string;
};

/** Longer than a lease. */
const LATER_MS = 200_000;
const WATCH = { confirmations: 0, blindAfterMs: 60_000 };
const RULES = Build.policy({
  chains: [{ pattern: Build.CHAIN, name: 'Ethereum', watch: WATCH }],
});

type Scene = TestWorld & {
  readonly how: How;
  readonly published: AdmissionSigner;
  readonly end: () => Promise<void>;
};

/** Plays one cell from a healthy start. */
export async function play(dependency: Dependency, fault: Fault): Promise<Cell> {
  const scene = await prepare(dependency, fault);
  const { how, clock } = scene;
  how.when.isOn = true;
  const reserve = await reserveNow(scene, 'w-1');
  const flag = await flagNow(scene);
  clock.nowMs += LATER_MS;
  const ticked = await tick(scene);
  const reserveLater = await reserveNow(scene, 'w-2');
  const flagLater = await flagNow(scene);
  const pause = await pauseNow(scene);
  const alarm = await hear(scene, ticked);
  await scene.end();
  return { dependency, fault, reserve, flag, reserveLater, flagLater, pause, alarm };
}

async function prepare(dependency: Dependency, fault: Fault): Promise<Scene> {
  const when: { isOn: boolean; clock: { nowMs: number } } = { isOn: false, clock: { nowMs: 0 } };
  const kms = dependency === 'KMS' ? await brokenKms(fault, when) : undefined;
  const how = { dependency, fault, when, kms: kms?.signer };
  let published = kms?.signer;
  const made = await readyWorld(RULES, (parts) => {
    published ??= parts.signer;
    return broken(parts, how);
  });
  Object.assign(when, { clock: made.clock });
  if (!published) throw new Error('a world without a signer');
  const end = async () => kms?.stop();
  const scene = { ...made, how, published, end };
  await made.world.store.health.renew({}, made.clock.nowMs + 1);
  made.clock.nowMs += 2;
  await tick(scene);
  await reserveNow(scene, 'before');
  made.messages.splice(0);
  return scene;
}

/** What the watcher, the ingest and the tick do in a few seconds; in a word what the tick came to. */
async function tick(scene: Scene): Promise<string> {
  const { world, clock, dead, how } = scene;
  const { store, decision, events, notifier } = world;
  const nowMs = clock.nowMs;
  await look(scene).catch(() => undefined);
  const heartbeat = { sentAtMs: nowMs, receivedAtMs: nowMs, oldestWaitingMs: 0 };
  await recordEvents(decision, [{ kind: 'heartbeat', heartbeat }]);
  const deps = { ...store, ...decision, events, notifier, clock: world.clock };
  const deadLetters = { count: async () => (how.when.isOn ? dead.count : 0) };
  try {
    const proof = await renewLeases({ ...deps, deadLetters });
    return proof.kind === 'healthy' && proof.blind?.length ? 'blind' : proof.kind;
  } catch (error) {
    return error instanceof Error ? error.name : 'error';
  }
}

/** Without an endpoint nothing is seen; one that is behind shows old blocks, and one that lies shows blocks of the future. */
async function look({ how, world, clock }: Scene): Promise<void> {
  const isOff = how.when.isOn && how.dependency === 'RPC';
  if (isOff && ['down', 'slow', 'throttled'].includes(how.fault)) return;
  const offMs = isOff ? (how.fault === 'stale' ? -3_600_000 : 3_600_000) : 0;
  const seenAtMs = clock.nowMs;
  await world.store.health.noteSight(Build.CHAIN, { seenAtMs, timestampMs: seenAtMs + offMs });
}

async function reserveNow({ world, published }: Scene, withdrawalId: string): Promise<string> {
  const withdrawal = Build.withdrawal(withdrawalId);
  const asks = [{ withdrawal, bodyHash: Build.incoming(withdrawal).bodyHash }];
  const [answer] = await reserveWithdrawals(world.reserve, { asks, audience: 'signer' });
  if (answer?.kind !== 'allow') return `block: ${answer?.reason ?? 'none'}`;
  const jwks = (await published.jwks()) as JSONWebKeySet;
  const isTrue = await jwtVerify(answer.admission, createLocalJWKSet(jwks), {
    currentDate: new Date(Build.T0_MS),
  }).then(
    () => true,
    () => false,
  );
  return isTrue ? 'allow' : 'allow, and no signer accepts it';
}

async function flagNow({ world }: Scene): Promise<string> {
  const { decision, store } = world;
  const deps = { ...decision, health: store.health };
  const flag = await readFlag(deps, { wallet: 'hot-1', chain: Build.CHAIN, actor: 'customer-1' });
  return flag.enabled ? 'enabled' : `not enabled: ${flag.reason}`;
}

async function pauseNow({ world }: Scene): Promise<string> {
  const { decision, store, compilePolicy } = world;
  const command = { kind: 'pause', commandId: 'p', scope: 'wallet:hot-1', reason: 'now' } as const;
  try {
    const deps = { ...decision, incidents: store.incidents, compilePolicy };
    return (await operateBreaker(deps, { command, actor: 'ann' })).kind;
  } catch (error) {
    return error instanceof Error ? error.name : 'error';
  }
}

/** What reaches people and how late, and what the tick's own alarm shows. */
async function hear(scene: Scene, ticked: string): Promise<string> {
  const { clock, records, messages, how } = scene;
  const { dependency, fault, when } = how;
  const isStream = dependency === 'stream' && when.isOn;
  const opened = records.filter(({ type }) => type === 'incident-opened');
  const isStopped = isStream && (fault === 'down' || fault === 'throttled');
  const startedMs = clock.nowMs;
  if (isStream && fault === 'slow') clock.nowMs += SLOW_MS;
  if (isStream && fault === 'stale') clock.nowMs += STALE_MS;
  const times = isStream && fault === 'lying' ? 2 : 1;
  const delivered = isStopped ? [] : Array(times).fill(opened).flat();
  const failed = await project(scene, delivered);
  const pages = messages.map(({ subject }) => subject.split(/[ :]/).slice(0, 2).join(' '));
  const told = pages.length > 0 ? pages.join(' + ') : 'no page';
  const lateS = Math.round((clock.nowMs - startedMs) / 1_000);
  const late = pages.length > 0 && lateS > 0 ? `, ${lateS} s late` : '';
  const open = isStopped || failed > 0 ? ', records wait' : '';
  return `tick ${ticked}; ${told}${late}${open}`;
}

/** Hands over the records; how many failed. */
async function project(
  { world }: Scene,
  records: readonly Scene['records'][number][],
): Promise<number> {
  const { incidents, projections } = world.store;
  const deps = { incidents, projections, notifier: world.notifier, clock: world.clock };
  let failed = 0;
  for (const record of records) {
    await projectState(deps, record).catch(() => {
      failed += 1;
    });
  }
  return failed;
}
