/** The schedule → one drill, measured; people are woken only when it fails. */

import type { ScheduledEvent } from 'aws-lambda';
import { type Deps, messageOfDrill, type Result, runDrill } from '../actions/run-drill.ts';
import type { Notifier } from '../ports.ts';
import type { Metrics } from './metrics.ts';
import { pipeline } from './pipeline.ts';
import type { Log } from './world.ts';

/** What the function needs. */
export type DrillWorld = {
  readonly deps: Deps;
  readonly newId: () => string;
  readonly objectiveMs: number;
  readonly notifier: Notifier;
  readonly metrics: Metrics;
  readonly log: Log;
};

/**
 * The function behind the weekly schedule. It tells of a failure by itself, by its metric and, where
 * neither gets out, by the alarm that misses a success.
 */
export function drill(world: DrillWorld) {
  const run = async (_event: ScheduledEvent): Promise<Result> => {
    const result = await attempt(world);
    const { drill: _, ...said } = { drill: true, ...result };
    world.log.info('drill', said);
    measure(world, result);
    const message = messageOfDrill(result);
    if (message) await world.notifier.send(message);
    return result;
  };
  return pipeline(run, {
    name: 'run-drill',
    log: world.log,
    onTimeout: (): Result => {
      throw new Error('time ran out before the drill ended; the next one resets the canary');
    },
  });
}

async function attempt({ deps, newId, objectiveMs }: DrillWorld): Promise<Result> {
  const drillId = newId();
  try {
    return await runDrill(deps, { drillId, objectiveMs });
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    return { kind: 'failed', drillId, at: 'before', why };
  }
}

function measure({ metrics }: DrillWorld, result: Result): void {
  switch (result.kind) {
    case 'skipped':
      metrics.measure({ DrillsSkipped: 1 });
      return;
    case 'failed':
      metrics.measure({ DrillFailures: 1 });
      return;
    case 'slow':
    case 'passed': {
      const { detectMs, tripMs, verifiedMs } = result.times;
      metrics.measure({
        DrillSuccesses: 1,
        DrillDetectMs: detectMs,
        DrillTripMs: tripMs,
        DrillVerifiedMs: verifiedMs,
      });
      return;
    }
    default:
      result satisfies never;
  }
}
