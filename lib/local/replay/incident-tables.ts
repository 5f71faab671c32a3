/** The four tables behind an incident, read strictly: every field is checked once, here. */

import { z } from 'zod';
import { DECIMALS_MAX } from '../../domain/money.ts';
import * as Chains from './chains.ts';
import * as Csv from './csv.ts';

const OUTFLOW_COLUMNS = [
  'time_utc',
  'chain',
  'asset',
  'token_address',
  'decimals',
  'amount',
  'amount_usd',
  'from',
  'to',
  'tx_hash',
  'source_url',
  'precision',
] as const;
const ASSET_COLUMNS = [
  'incident',
  'chain',
  'asset',
  'token_address',
  'decimals',
  'price_usd',
  'traffic_weight',
  'precision',
  'source_url',
] as const;
const TIMELINE_COLUMNS = [
  'incident',
  'kind',
  'event',
  'time_utc',
  'precision',
  'source_url',
] as const;
const INCIDENT_COLUMNS = ['incident', 'title', 'entry', 'key_domain', 'note'] as const;

const filled = z.string().min(1, 'must not be empty');
const chain = z.enum(Chains.names() as [string, ...string[]], {
  error: `must be one of ${Chains.names().join(', ')}`,
});
const TIME = 'must be a UTC time such as 2023-09-12T13:20:59Z, or empty';
const instant = z.union([z.literal(''), z.iso.datetime({ error: TIME })], { error: TIME });
const decimal = z
  .string()
  .regex(/^$|^\d{1,60}(\.\d{1,60})?$/, 'must be a plain decimal such as 4947.5, or empty');
const decimals = z
  .string()
  .regex(/^$|^\d{1,2}$/, 'must be a whole number or empty')
  .transform((text) => (text === '' ? undefined : Number(text)))
  .refine(
    (value) => value === undefined || value <= DECIMALS_MAX,
    `must be at most ${DECIMALS_MAX}`,
  );
const precision = z.enum(['exact', 'approximate', 'estimated', 'aggregate'], {
  error: 'must be exact, approximate, estimated or aggregate',
});

const outflow = z
  .object({
    time_utc: instant,
    chain,
    asset: filled,
    token_address: z.string(),
    decimals,
    amount: decimal.refine((text) => !/^0+(\.0+)?$/.test(text), 'must be above 0 or empty'),
    amount_usd: decimal,
    from: z.string(),
    to: z.string(),
    tx_hash: z.string(),
    source_url: filled,
    precision,
  })
  .refine((row) => row.amount !== '' || row.amount_usd !== '', {
    path: ['amount'],
    message: 'amount or amount_usd must be given',
  });
const asset = z.object({
  incident: filled,
  chain,
  asset: filled,
  token_address: z.string(),
  decimals,
  price_usd: decimal,
  traffic_weight: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number),
  precision,
  source_url: filled,
});
const DAY = 'must be a UTC time, a day, or empty';
const milestone = z.object({
  incident: filled,
  kind: z.enum(
    [
      'first-theft',
      'theft',
      'outside-alert',
      'suspension',
      'acknowledgement',
      'disclosure',
      'resumption',
      'other',
    ],
    { error: 'must be a kind of event that examples/incidents/README.md lists' },
  ),
  event: filled,
  /** An instant, a day, or nothing: what is public. */
  time_utc: z.union([z.literal(''), z.iso.datetime(), z.iso.date()], { error: DAY }),
  precision: filled,
  source_url: z.string(),
});
const incident = z.object({
  incident: filled,
  title: filled,
  entry: z.enum(['outflow.observed', 'withdrawal.reported'], {
    error: 'must be outflow.observed or withdrawal.reported',
  }),
  key_domain: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be lower-case letters, digits and dashes'),
  note: z.string(),
});

/** A row of an incident file, checked. Empty text: not public. */
export type OutflowRow = z.infer<typeof outflow> & { readonly line: number };
/** A row of `assets.csv`. */
export type AssetRow = z.infer<typeof asset> & { readonly line: number };
/** A row of `timeline.csv`. */
export type MilestoneRow = z.infer<typeof milestone> & { readonly line: number };
/** A row of `incidents.csv`. */
export type IncidentRow = z.infer<typeof incident> & { readonly line: number };

/** A table as text, with the name that errors show. */
export type Table = { readonly file: string; readonly text: string };

/** Reads an incident file. @throws {InvalidRowError} */
export function readOutflows(table: Table): readonly OutflowRow[] {
  return read(table, OUTFLOW_COLUMNS, outflow);
}

/** Reads `assets.csv`. @throws {InvalidRowError} */
export function readAssets(table: Table): readonly AssetRow[] {
  return read(table, ASSET_COLUMNS, asset);
}

/** Reads `timeline.csv`. @throws {InvalidRowError} */
export function readTimeline(table: Table): readonly MilestoneRow[] {
  return read(table, TIMELINE_COLUMNS, milestone);
}

/** Reads `incidents.csv`. @throws {InvalidRowError} */
export function readIncidents(table: Table): readonly IncidentRow[] {
  return read(table, INCIDENT_COLUMNS, incident);
}

/** Runs `compute` and names file, line and field in whatever it throws. @throws {InvalidRowError} */
export function within<Value>(
  place: { readonly file: string; readonly line: number; readonly field: string },
  compute: () => Value,
): Value {
  try {
    return compute();
  } catch (cause) {
    throw new InvalidRowError({ ...place, reason: (cause as Error).message, cause });
  }
}

function read<Schema extends z.ZodType>(table: Table, columns: readonly string[], schema: Schema) {
  return rows(table, columns).map((row) => {
    const result = schema.safeParse(row.fields);
    if (result.success) return { ...(result.data as z.infer<Schema> & object), line: row.line };
    const issue = result.error.issues[0];
    const field = String(issue?.path[0] ?? '');
    throw new InvalidRowError({
      file: table.file,
      line: row.line,
      field,
      reason: issue?.message ?? 'is invalid',
    });
  });
}

function rows(table: Table, columns: readonly string[]): readonly Csv.Row<string>[] {
  try {
    return Csv.parse(table.text, columns);
  } catch (cause) {
    if (!(cause instanceof Csv.MalformedError)) throw cause;
    const { line, field, reason } = cause;
    throw new InvalidRowError({ file: table.file, line, field, reason, cause });
  }
}

/** A table of an incident cannot be used. The message names file, line and field. */
export class InvalidRowError extends Error {
  override readonly name = 'Incident.InvalidRowError';
  readonly line: number;
  readonly field: string | undefined;
  constructor(details: {
    readonly file: string;
    readonly line: number;
    readonly field?: string | undefined;
    readonly reason: string;
    readonly cause?: unknown;
  }) {
    const field = details.field ? `, field ${details.field}` : '';
    super(`${details.file}, line ${details.line}${field}: ${details.reason}`, {
      cause: details.cause,
    });
    this.line = details.line;
    this.field = details.field;
  }
}
