/** Reads an incident from disk. */

import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Incident } from './incident.ts';
import type { Table } from './incident-tables.ts';
import { parseIncident } from './parse-incident.ts';

/**
 * Reads an incident file such as `examples/incidents/coinex-2023.csv`, and, where they lie beside it,
 * `timeline.csv`, `assets.csv` and `incidents.csv`, whose rows for this file's name are used.
 *
 * @throws {InvalidRowError} a table is malformed; a missing incident file throws as `readFileSync` does.
 */
export function loadIncident(path: string): Incident {
  const sibling = (file: string): Table | undefined => {
    const beside = join(dirname(path), file);
    return existsSync(beside) ? { file, text: readFileSync(beside, 'utf8') } : undefined;
  };
  return parseIncident({
    name: basename(path, '.csv'),
    outflows: { file: basename(path), text: readFileSync(path, 'utf8') },
    timeline: sibling('timeline.csv'),
    assets: sibling('assets.csv'),
    incidents: sibling('incidents.csv'),
  });
}
