/** Callers who reserve from one wallet at once, each insisting until it is decided, and what that took. */

import { setTimeout as sleep } from 'node:timers/promises';
import { reserveWithdrawals } from '../lib/actions/reserve-withdrawals.ts';
import { createReserveClient } from '../lib/client/reserve-client.ts';
import type { Send } from '../lib/client/reserve-http.ts';
import type { Ask } from '../lib/domain/reservation.ts';
import { localContext } from '../lib/local/context.ts';
import { reserveWithdrawal } from '../lib/runtime/reserve-withdrawal.ts';
import type { Locks } from './reserve-locks.ts';
import { ASKED, askOf, type Process, startProcess } from './reserve-rig.ts';
import type { Rig } from './rig.ts';

/** How callers ask. `alone`: each is a process of its own. `together`: all through one client that batches. */
export type Way = 'alone' | 'together';

/** What a run took. */
export type Run = {
  readonly admitted: number;
  /** Withdrawals that nobody decided on, however often they were asked for. */
  readonly undecided: number;
  /** Asks beyond the first of each withdrawal: those before it were a `block` that says nothing of it. */
  readonly askedAgain: number;
  /** From a caller's first ask to its verdict, one for each withdrawal. */
  readonly waitsMs: readonly number[];
  readonly requests: number;
  /** Requests until the last one was admitted: while there is room, each decision changes the meters of all. */
  readonly requestsWhileRoom: number;
  readonly writeUnits: number;
  /** Transactions that lost to other writers: AWS bills what they would have written, and no answer reports it. */
  readonly lost: number;
};

type Verdict = { readonly isAdmitted: boolean; readonly isDecided: boolean };
type Ready = {
  readonly ask: (ask: Ask) => Promise<Verdict>;
  readonly processes: readonly Process[];
};
type Parameters = {
  readonly callers: number;
  readonly way: Way;
  readonly seed: string;
  readonly locks?: Locks | undefined;
  /** Withdrawals, {@link ASKED} unless given. */
  readonly asked?: number;
};

/** Times one withdrawal is asked for, at most. */
const ASKED_MAX = 20;
const PAUSE_MS = 250;
const AUDIENCE = 'signer';
/** As the construct sets it. */
const FUNCTION_TIMEOUT_MS = 8_000;
const CALLER = 'arn:aws:iam::000000000000:role/bench';

/** Lets callers share out the withdrawals, each asking for one after the other. */
export async function measureCallers(rig: Rig, parameters: Parameters): Promise<Run> {
  const { callers, way, asked: all = ASKED } = parameters;
  const ready = await (way === 'alone' ? alone : together)(rig, parameters);
  const processes = new Set(ready.flatMap((one) => one.processes));
  const sent = () => [...processes].reduce((sum, { watch }) => sum + watch.read().requests, 0);
  const waitsMs: number[] = [];
  const run = { admitted: 0, undecided: 0, askedAgain: 0, requestsWhileRoom: 0 };
  const work = async (caller: number) => {
    for (let number = caller; number < all; number += callers) {
      const startedMs = performance.now();
      const { verdict, asked } = await insist(ready[caller], askOf(number));
      waitsMs.push(performance.now() - startedMs);
      run.askedAgain += asked - 1;
      if (!verdict.isDecided) run.undecided += 1;
      if (!verdict.isAdmitted) continue;
      run.admitted += 1;
      run.requestsWhileRoom = sent();
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => work(caller)));
  const counts = [...processes].map(({ watch }) => watch.read());
  const total = (of: 'requests' | 'writeUnits' | 'cancelled') =>
    counts.reduce((sum, count) => sum + count[of], 0);
  for (const process of processes) process.stop();
  return {
    ...run,
    waitsMs,
    requests: total('requests'),
    writeUnits: total('writeUnits'),
    lost: total('cancelled'),
  };
}

/** Asks again after a pause, as long as the answer says nothing of the withdrawal itself. */
async function insist(
  caller: Ready | undefined,
  ask: Ask,
): Promise<{ readonly verdict: Verdict; readonly asked: number }> {
  for (let asked = 1; ; asked += 1) {
    const verdict = (await caller?.ask(ask)) ?? { isAdmitted: false, isDecided: false };
    if (verdict.isDecided || asked >= ASKED_MAX) return { verdict, asked };
    await sleep(PAUSE_MS);
  }
}

async function alone(rig: Rig, { callers, seed, locks }: Parameters): Promise<readonly Ready[]> {
  return Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const process = await startProcess(rig, { seed: `${seed} ${caller}`, locks });
      const ask = async (one: Ask) => {
        const [answer] = await reserveWithdrawals(process.world.reserve, {
          asks: [one],
          audience: AUDIENCE,
        });
        return verdictOf(answer?.kind, answer?.kind === 'allow' ? undefined : answer?.reason);
      };
      return { ask, processes: [process] };
    }),
  );
}

async function together(rig: Rig, { callers, seed, locks }: Parameters): Promise<readonly Ready[]> {
  const process = await startProcess(rig, { seed, locks });
  const client = createReserveClient({ send: sendTo(process) });
  const ask = async ({ withdrawal: { withdrawalId, transfer } }: Ask) => {
    const { account: wallet, ...rest } = transfer;
    const answer = await client.reserve({ withdrawalId, wallet, ...rest });
    return verdictOf(answer.verdict, answer.verdict === 'allow' ? undefined : answer.reason);
  };
  return Array.from({ length: callers }, () => ({ ask, processes: [process] }));
}

/** Hands requests to the function, as its URL would. */
function sendTo({ world }: Process): Send {
  const handle = reserveWithdrawal(world, { audience: AUDIENCE });
  const http = { method: 'POST' };
  const requestContext = { http, authorizer: { iam: { userArn: CALLER } } };
  return async (request) => {
    const event = { rawPath: '/', body: JSON.stringify(request), requestContext };
    const { body } = await handle(event, localContext('reserve-withdrawal', FUNCTION_TIMEOUT_MS));
    return JSON.parse(body ?? '');
  };
}

function verdictOf(kind: string | undefined, reason: string | undefined): Verdict {
  const isDecided = kind !== undefined && reason !== 'unavailable' && reason !== 'timeout';
  return { isAdmitted: kind === 'allow', isDecided };
}
