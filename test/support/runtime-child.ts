/**
 * A runtime in a process of its own that a test can kill: it submits an incident's timeline from the
 * start, whatever it has taken before, and tells on standard output what happens, one JSON a line.
 *
 * Its argument is a `Task`. Ended by a signal it stops the runtime first, as the CLI does.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { interruptible } from '../../lib/cli/interrupt.ts';
import { loadIncident } from '../../lib/local/replay/load-incident.ts';
import { buildTimeline } from '../../lib/local/replay/timeline.ts';
import { startRuntime } from '../../lib/local/runtime.ts';
import type { Task, Told } from './spawn-runtime.ts';

/**
 * Events submitted at one virtual time, one after the other without waiting: a kill finds some of
 * them in the queue. If the clock jumped while they wait they would count as a backlog.
 */
const TOGETHER = 20;
/** Ordinary traffic around the incident; with it the timeline has about 180 events. */
const BEFORE_MS = 4 * 3_600_000;
const AFTER_MS = 3_600_000;

const task = JSON.parse(process.argv[2] ?? '{}') as Task;
const examples = join(import.meta.dirname, '../../examples');
const { items, startMs } = buildTimeline({
  incident: loadIncident(join(examples, `incidents/${task.incident}.csv`)),
  traffic: { seed: 'kill', beforeMs: BEFORE_MS, afterMs: AFTER_MS },
});

/** A pipe is written to at once, so what was told before a kill has been told. */
function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

function rowIdOf({ detailType, detail }: (typeof items)[number]): string {
  if (detailType === 'withdrawal.reported') return `withdrawal:${detail.withdrawalId}`;
  const [namespace, reference] = detail.wallet.split(':');
  return `outflow:${namespace}:${reference}:${detail.transaction}:${detail.place}`;
}

await interruptible(async (signal) => {
  const runtime = await startRuntime({
    ...(task.folder === undefined ? {} : { folder: task.folder }),
    port: 0,
    clock: { startMs, speed: 1 },
    policySource: readFileSync(join(examples, `policies/${task.incident}.yaml`), 'utf8'),
    onPage: ({ subject, severity }) => tell({ type: 'page', subject, severity }),
    log: {
      info: () => undefined,
      error: (message, fields) => tell({ type: 'error', message, fields }),
    },
  });
  try {
    const { url } = runtime;
    tell({ type: 'started', url, events: items.length, theft: items.findIndex(isTheft) });
    await runtime.idle();
    const { rows } = await runtime.world.store.decisions.load({
      rows: items.map(rowIdOf),
      items: [],
    });
    tell({ type: 'recovered', rowIds: [...rows.keys()] });
    for (const [position, item] of items.entries()) {
      if (signal.aborted) return;
      if (position % TOGETHER === 0) {
        await runtime.idle();
        runtime.clock.advanceTo(item.atMs);
        await runtime.tick();
      }
      await runtime.submit([{ detailType: item.detailType, detail: item.detail }]);
      tell({ type: 'kept', position, rowId: rowIdOf(item) });
    }
    await runtime.idle();
    tell({ type: 'done' });
    if (task.stays) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  } finally {
    await runtime.stop();
  }
});

function isTheft({ kind }: (typeof items)[number]): boolean {
  return kind === 'incident';
}
