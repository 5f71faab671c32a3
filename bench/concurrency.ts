/** Workers that decide on one wallet at once: how many decisions, and how many attempts each. */

import { recordEvents } from '../lib/actions/record-events.ts';
import * as Random from '../lib/local/replay/random.ts';
import { incoming, withdrawal } from './events.ts';
import { drawEth } from './full-meters.ts';
import { type FullSet, metersOf } from './full-set.ts';
import { onRig, putMeters, type Rig } from './rig.ts';
import { policySource } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';

const WORKERS = [1, 8, 16];
const BATCHES = [1, 25];
const MEASURE_MS = 2_000;

/** Every number of workers with every size of batch. */
export async function measureConcurrency(seed: string, full: FullSet): Promise<Section> {
  return onRig({ policySource: policySource(1), seed }, async (rig) => {
    const rows: (readonly Cell[])[] = [];
    for (const batch of BATCHES) {
      for (const workers of WORKERS) {
        await putMeters(rig.store, metersOf({}, full));
        rows.push(rowOf({ workers, batch }, await measureWorkers(rig, { workers, batch, seed })));
      }
    }
    return {
      title: 'Workers at once on one wallet and customer, meters full',
      columns: ['', 'decisions/s', 'events/s', 'attempts per decision', 'given up'],
      rows,
      notes: [
        'every decision touches the global meter, so they go one after another; batches are what makes many a second',
        'all workers share one process and one core; "given up": lost every attempt, to be delivered again',
      ],
    };
  });
}

/** Decisions are calls with one batch. `attempts`: transactions sent. */
export type Run = {
  readonly decisions: number;
  readonly attempts: number;
  readonly givenUp: number;
  readonly seconds: number;
};

/** Lets workers record batches of new events until the time is over. */
export async function measureWorkers(
  rig: Rig,
  parameters: {
    readonly workers: number;
    readonly batch: number;
    readonly seed: string;
    readonly durationMs?: number;
  },
): Promise<Run> {
  const { workers, batch, seed, durationMs = MEASURE_MS } = parameters;
  let decisions = 0;
  let givenUp = 0;
  rig.watch.reset();
  const startedMs = performance.now();
  const work = async (worker: number) => {
    const random = Random.create(`${seed} ${workers} ${batch} ${worker}`);
    for (let turn = 0; performance.now() - startedMs < durationMs; turn += 1) {
      const events = Array.from({ length: batch }, (_, index) => {
        const id = `c-${workers}-${batch}-${worker}-${turn}-${index}`;
        return incoming(withdrawal({ id, amount: drawEth(random) }));
      });
      const recorded = await recordEvents(rig.deps, events);
      if (recorded.every(({ kind }) => kind === 'decided')) decisions += 1;
      else givenUp += 1;
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  const seconds = (performance.now() - startedMs) / 1_000;
  return { decisions, attempts: rig.watch.read().transactions, givenUp, seconds };
}

function rowOf(
  about: { readonly workers: number; readonly batch: number },
  run: Run,
): readonly Cell[] {
  const { workers, batch } = about;
  const { decisions, attempts, givenUp, seconds } = run;
  const id = `workers.${workers}.batch.${batch}`;
  const name = `${workers} worker${workers === 1 ? '' : 's'}, ${batch === 1 ? 'one event' : `${batch} events`} a call`;
  return [
    name,
    { id: `${id}.decisions`, value: decisions / seconds, unit: '', digits: 0 },
    { id: `${id}.events`, value: (decisions * batch) / seconds, unit: '', digits: 0 },
    { id: `${id}.attempts`, value: attempts / Math.max(1, decisions), unit: '', digits: 2 },
    { id: `${id}.given-up`, value: givenUp, unit: '', digits: 0 },
  ];
}
