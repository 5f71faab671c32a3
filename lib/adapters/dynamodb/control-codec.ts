/** Everything of the Control table at rest: `b` the fact as JSON; on incidents also `st`, its state. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { Cause, Incident } from '../../domain/breaker.ts';
import type * as Ledger from '../../domain/ledger.ts';
import * as Queue from '../../domain/queue.ts';
import type { FlagMirror } from '../../ports.ts';
import * as Attributes from './attributes.ts';
import type { ControlKey } from './keys.ts';
import * as Keys from './keys.ts';

const StoredCause: z.ZodMiniType<Cause> = z.object({
  kind: z.enum(['limit', 'unmatched', 'conflict', 'unknown', 'parked', 'operator']),
  atMs: z.int(),
  rowId: z.string(),
  text: z.string(),
  notional: Attributes.Units,
  limit: z.exactOptional(
    z.object({ limitId: z.string(), used: Attributes.Units, allowed: Attributes.Units }),
  ),
  actor: z.exactOptional(z.string()),
  planned: z.exactOptional(z.literal(true)),
  reopened: z.exactOptional(z.int()),
});

const StoredCauseWrite: z.ZodMiniType<Ledger.CauseWrite> = z.object({
  incidentId: z.string(),
  number: z.int(),
  cause: StoredCause,
});

const StoredIncident: z.ZodMiniType<Incident> = z.object({
  incidentId: z.string(),
  scope: z.string(),
  epoch: z.int(),
  openedAtMs: z.int(),
  first: StoredCause,
  policyVersion: z.int(),
  state: z.enum(['open', 'closed']),
  closed: z.exactOptional(z.object({ atMs: z.int(), actor: z.string(), reason: z.string() })),
  resuming: z.exactOptional(
    z.object({
      atMs: z.int(),
      actors: z.array(z.string()),
      reason: z.string(),
      epoch: z.int(),
    }),
  ),
  quarantinedBy: z.exactOptional(z.string()),
  overlay: z.exactOptional(z.int()),
  drill: z.exactOptional(z.literal(true)),
});

const StoredAlert: z.ZodMiniType<Ledger.Alert> = z.object({
  alertId: z.string(),
  kind: z.enum([
    'warn',
    'breach',
    'would-trip',
    'unknown',
    'refused',
    'held',
    'overdue',
    'risk',
    'unseen',
    'watch',
    'price',
    'balance',
    'panic',
    'step',
    'drill',
  ]),
  atMs: z.int(),
  scope: z.string(),
  rowId: z.string(),
  text: z.string(),
});

const StoredHeld: z.ZodMiniType<Queue.Held> = z.object({
  rowId: z.string(),
  heldAtMs: z.int(),
  goesAtMs: z.exactOptional(z.int()),
  place: z.exactOptional(
    z.object({ limitId: z.string(), scope: z.string(), need: Attributes.Units }),
  ),
});

type Grace = Ledger.GraceWrite['grace'];
const StoredGrace: z.ZodMiniType<Grace> = z.object({ rowId: z.string(), untilMs: z.int() });

const StoredFlag: z.ZodMiniType<FlagMirror> = z.object({
  atMs: z.int(),
  open: z.array(z.object({ scope: z.string(), incidentId: z.string(), sinceMs: z.int() })),
  truncated: z.exactOptional(z.literal(true)),
});

/** Writes an incident. */
export function toIncident(incident: Incident): Record<string, AttributeValue> {
  const key = Keys.incidentKey(incident.incidentId);
  return { ...fact(key, incident), st: { S: incident.state } };
}

/** Reads an incident. @throws {Store.UnreadableError} */
export function fromIncident(attributes: Attributes.Attributes): Incident {
  return Attributes.jsonOf(attributes, 'b', StoredIncident);
}

/** Writes that an incident was closed: beside the incident, under a key that only those who may close can write. */
export function toClosed(incident: Incident): Record<string, AttributeValue> {
  const { incidentId, closed } = incident;
  return fact(Keys.closedKey(incidentId), { incidentId, ...closed });
}

/** Writes a further cause. */
export function toCause(write: Ledger.CauseWrite): Record<string, AttributeValue> {
  return fact(Keys.causeKey(write), write);
}

/** Reads a further cause with its place. @throws {Store.UnreadableError} */
export function fromCause(attributes: Attributes.Attributes): Ledger.CauseWrite {
  return Attributes.jsonOf(attributes, 'b', StoredCauseWrite);
}

/** Writes an alert. */
export function toAlert(alert: Ledger.Alert): Record<string, AttributeValue> {
  return fact(Keys.alertKey(alert.alertId), alert);
}

/** Reads an alert. @throws {Store.UnreadableError} */
export function fromAlert(attributes: Attributes.Attributes): Ledger.Alert {
  return Attributes.jsonOf(attributes, 'b', StoredAlert);
}

/** Writes the flag's mirror. */
export function toFlag(mirror: FlagMirror): Record<string, AttributeValue> {
  return fact(Keys.FLAG_KEY, mirror);
}

/** Reads the flag's mirror. @throws {Store.UnreadableError} */
export function fromFlag(attributes: Attributes.Attributes): FlagMirror {
  return Attributes.jsonOf(attributes, 'b', StoredFlag);
}

/** Writes a held withdrawal into its queue. */
export function toHeld(held: Queue.Held): Record<string, AttributeValue> {
  return fact(heldKey(held), held);
}

/** Key of a held withdrawal in its queue. */
export function heldKey(held: Queue.Held): ControlKey {
  return Keys.heldKey({ ...held, queue: Queue.keyOf(held) });
}

/** Reads a held withdrawal. @throws {Store.UnreadableError} */
export function fromHeld(attributes: Attributes.Attributes): Queue.Held {
  return Attributes.jsonOf(attributes, 'b', StoredHeld);
}

/** Writes an outflow whose grace runs. */
export function toGrace(grace: Grace): Record<string, AttributeValue> {
  return fact(Keys.graceKey(grace), grace);
}

/** Reads an outflow whose grace runs. @throws {Store.UnreadableError} */
export function fromGrace(attributes: Attributes.Attributes): Grace {
  return Attributes.jsonOf(attributes, 'b', StoredGrace);
}

/** Writes the note that a page went out. */
export function toPage(pageId: string, atMs: number): Record<string, AttributeValue> {
  return fact(Keys.pageKey(pageId), { pageId, atMs });
}

function fact(key: ControlKey, value: object): Record<string, AttributeValue> {
  return { pk: { S: key.pk }, sk: { S: key.sk }, b: Attributes.toJson(value) };
}
