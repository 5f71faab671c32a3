/** Round trips and write units of an event, counted on the wire while every slot of every meter is full. */

import { recordEvents } from '../lib/actions/record-events.ts';
import { nodeIds } from '../lib/adapters/node-ids.ts';
import type { FullSet } from './full-set.ts';
import { oneScopeDecision } from './one-scope.ts';
import { onRig, putMeters, type Rig } from './rig.ts';
import { policySource } from './sample-policy.ts';
import { BATCH, type Scenario, scenarios } from './scenarios.ts';
import type { Cell, Section } from './section.ts';

const ONE_SCOPE_EVENTS = 40;

type Cost = { readonly roundTrips: number; readonly units: number };

/** The cost of every scenario, on an engine of its own. */
export async function measureUnits(seed: string, full: FullSet): Promise<Section> {
  return onRig({ policySource: policySource(1), seed }, async (rig) => {
    const max = { roundTrips: 2, units: 4 };
    const oneScope = { id: 'one-scope', name: 'one scope: a row and the wallet', max };
    const rows = [rowOf(oneScope, await measureOneScope(rig, full))];
    for (const scenario of scenarios({ seed, full })) {
      await putMeters(rig.store, scenario.meters);
      rows.push(rowOf(scenario, await measureScenario(rig, scenario)));
    }
    return {
      title: 'Round trips and write units per event, meters full',
      columns: ['', 'round trips', 'write units'],
      rows,
      notes: [
        'HTTP requests counted below the SDK; units as the engine reports them (ReturnConsumedCapacity: TOTAL)',
        `"${BATCH} of" is one call with ${BATCH} events; a row without a mark has no target`,
      ],
    };
  });
}

/** Records a scenario's events. @throws {UndecidedError} */
export async function measureScenario(
  rig: Rig,
  scenario: Pick<Scenario, 'before' | 'batches'>,
): Promise<Cost> {
  const { before = [], batches } = scenario;
  for (const batch of before) await recordEvents(rig.deps, batch);
  rig.watch.reset();
  let events = 0;
  for (const batch of batches) {
    const recorded = await recordEvents(rig.deps, batch);
    const failed = recorded.find((each) => each.kind === 'failed');
    if (failed) throw new UndecidedError({ cause: failed.error });
    events += batch.length;
  }
  const { requests, writeUnits } = rig.watch.read();
  return { roundTrips: requests / events, units: writeUnits / events };
}

async function measureOneScope(rig: Rig, full: FullSet): Promise<Cost> {
  const decide = oneScopeDecision(rig.store.decisions, nodeIds.decisionId);
  await decide.fill(full.assets2);
  rig.watch.reset();
  for (let index = 0; index < ONE_SCOPE_EVENTS; index += 1) await decide.once(`one-scope-${index}`);
  const { requests, writeUnits } = rig.watch.read();
  return { roundTrips: requests / ONE_SCOPE_EVENTS, units: writeUnits / ONE_SCOPE_EVENTS };
}

function rowOf(about: Pick<Scenario, 'id' | 'name' | 'max'>, cost: Cost): readonly Cell[] {
  const { id, name, max } = about;
  const roundTrips = {
    value: cost.roundTrips,
    unit: '',
    digits: 2,
    ...(max && { max: max.roundTrips }),
  };
  const units = { value: cost.units, unit: '', digits: 2, ...(max && { max: max.units }) };
  return [
    name,
    { id: `cost.${id}.round-trips`, ...roundTrips },
    { id: `cost.${id}.units`, ...units },
  ];
}

/** An event was not decided: what was counted is no event's cost. */
export class UndecidedError extends Error {
  override readonly name = 'Units.UndecidedError';
  constructor(options: { readonly cause: unknown }) {
    super('an event of the benchmark could not be decided', options);
  }
}
