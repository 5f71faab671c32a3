/** Ways in which each dependency fails, as wrappers of the ports that a world is made of. */

import { checkClock } from '../../lib/adapters/dynamodb/clock-guard.ts';
import { UnavailableError } from '../../lib/adapters/store-errors.ts';
import type { Loaded } from '../../lib/domain/ledger.ts';
import type { AdmissionSigner, DecisionStore, HealthStore, Notifier } from '../../lib/ports.ts';
import type { Parts } from '../support/action-world.ts';

/** What others are needed for a decision, and what goes wrong with them. */
export const DEPENDENCIES = ['ledger', 'state', 'stream', 'KMS', 'SNS', 'RPC', 'clock'] as const;
export const FAULTS = ['down', 'slow', 'throttled', 'stale', 'lying'] as const;
export type Dependency = (typeof DEPENDENCIES)[number];
export type Fault = (typeof FAULTS)[number];

/** When it begins to fail, and the clock that slow answers move. */
export type Switch = { isOn: boolean; readonly clock: { nowMs: number } };

/** Longer than anybody waits for an answer. */
export const SLOW_MS = 7_000;
const OFF_MS = 300_000;
/** How old what is stale is. */
export const STALE_MS = 3_600_000;

/** What fails, how, and since when. `kms`: the signer over a KMS that lies. */
export type How = {
  readonly dependency: Dependency;
  readonly fault: Fault;
  readonly when: Switch;
  readonly kms?: AdmissionSigner | undefined;
};

/** The parts of a world in which one dependency fails once the switch is on. RPC and stream fail in what is done, not here. */
export function broken(parts: Parts, how: How): Partial<Parts> {
  const { dependency, fault, when } = how;
  const { store } = parts;
  switch (dependency) {
    case 'ledger':
      return { store: { ...store, decisions: ledger(store.decisions, fault, when) } };
    case 'state':
      return { store: { ...store, health: state(store.health, fault, when) } };
    case 'KMS':
      return { signer: signer(how.kms ?? parts.signer, fault, when) };
    case 'SNS':
      return { notifier: topic(parts.notifier, fault, when) };
    case 'clock':
      return clock(parts, fault, when);
    case 'stream':
    case 'RPC':
      return {};
    default:
      return dependency satisfies never;
  }
}

async function fail<T>(act: () => Promise<T>, fault: Fault, when: Switch): Promise<T> {
  if (when.isOn && (fault === 'down' || fault === 'throttled')) {
    const reason = fault === 'down' ? 'ECONNREFUSED' : 'ThrottlingException';
    throw new UnavailableError({ operation: 'any', reason, attempts: 5 });
  }
  if (when.isOn && fault === 'slow') when.clock.nowMs += SLOW_MS;
  return act();
}

/** `stale`: reads are of the time before; `lying`: it says that it holds nothing. */
function ledger(decisions: DecisionStore, fault: Fault, when: Switch): DecisionStore {
  const kept = new Map<string, Loaded>();
  const load: DecisionStore['load'] = async (keys) => {
    const name = keys.items.join();
    const loaded = await decisions.load(keys);
    if (!when.isOn) kept.set(name, loaded);
    if (when.isOn && fault === 'stale')
      return kept.get(name) ?? { rows: new Map(), items: new Map() };
    if (when.isOn && fault === 'lying') return { rows: new Map(), items: new Map() };
    return loaded;
  };
  return {
    load: (keys) => fail(() => load(keys), fault, when),
    commit: (changes) => fail(() => decisions.commit(changes), fault, when),
  };
}

/** `stale`: a lease that is not renewed any more; `lying`: leases that are no times. */
function state(health: HealthStore, fault: Fault, when: Switch): HealthStore {
  const failing = <T>(act: () => Promise<T>): Promise<T> => fail(act, fault, when);
  return {
    ...health,
    heartbeat: () => failing(health.heartbeat),
    leases: async () => {
      const leases = await failing(health.leases);
      if (!when.isOn || fault !== 'lying') return leases;
      return Object.fromEntries(Object.keys(leases).map((chain) => [chain, Number.NaN]));
    },
    renew: async (leases, atMs) => {
      if (when.isOn && fault === 'stale') return;
      await failing(() => health.renew(leases, atMs));
    },
  };
}

/** `stale` and `lying` are made in KMS itself: see `kms.ts`. */
function signer(own: AdmissionSigner, fault: Fault, when: Switch): AdmissionSigner {
  return { ...own, sign: (claims) => fail(() => own.sign(claims), fault, when) };
}

/** `stale`: what was sent comes an hour later, and again; `lying`: it is taken and reaches nobody. */
function topic(own: Notifier, fault: Fault, when: Switch): Notifier {
  return {
    send: async (message) => {
      if (when.isOn && fault === 'lying') return;
      if (when.isOn && fault === 'stale') {
        when.clock.nowMs += STALE_MS;
        await own.send(message);
      }
      await fail(() => own.send(message), fault, when);
    },
  };
}

/** `down`: it shows no time; `slow`: five minutes behind; `throttled`: three behind; `stale`: it stands; `lying`: ahead. */
function clock({ store, clock: own }: Parts, fault: Fault, when: Switch): Partial<Parts> {
  let stoppedMs: number | undefined;
  const nowMs = () => {
    if (!when.isOn) return own.nowMs();
    if (fault === 'down') return Number.NaN;
    if (fault === 'slow') return own.nowMs() - OFF_MS;
    if (fault === 'throttled') return own.nowMs() - 3 * SLOW_MS;
    if (fault === 'lying') return own.nowMs() + OFF_MS;
    stoppedMs ??= own.nowMs() - SLOW_MS;
    return stoppedMs;
  };
  const guarded = async <T>(act: () => Promise<T>): Promise<T> => {
    const sentAtMs = nowMs();
    const answer = await act();
    checkClock(new Date(own.nowMs()).toUTCString(), { sentAtMs, receivedAtMs: nowMs() });
    return answer;
  };
  const { decisions } = store;
  const checked: DecisionStore = {
    load: (keys) => guarded(() => decisions.load(keys)),
    commit: (changes) => guarded(() => decisions.commit(changes)),
  };
  return { clock: { nowMs }, store: { ...store, decisions: checked } };
}
