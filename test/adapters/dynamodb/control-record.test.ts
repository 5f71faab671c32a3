import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import * as Codec from '../../../lib/adapters/dynamodb/control-codec.ts';
import { parseControlRecord } from '../../../lib/adapters/dynamodb/control-record.ts';
import { toPolicy } from '../../../lib/adapters/dynamodb/policy-codec.ts';
import type { Incident } from '../../../lib/domain/breaker.ts';
import * as Build from '../../support/builders.ts';

type Image = NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>;

const first = {
  kind: 'operator',
  atMs: Build.T0_MS,
  rowId: 'command:1',
  text: 'paused by ann',
  notional: 0n,
  actor: 'ann',
} as const;

const open: Incident = {
  incidentId: 'INC',
  scope: 'global',
  epoch: 1,
  openedAtMs: Build.T0_MS,
  first,
  policyVersion: 2,
  state: 'open',
};
const closed: Incident = {
  ...open,
  state: 'closed',
  closed: { atMs: Build.T0_MS + 1, actor: 'bob', reason: 'checked' },
};
const alert = {
  alertId: 'a',
  kind: 'warn',
  atMs: Build.T0_MS,
  scope: 'global',
  rowId: 'r',
  text: 't',
} as const;

/** As Lambda sends it: what the codec writes, all of it texts. */
function image(attributes: object): Image {
  return JSON.parse(JSON.stringify(attributes));
}

function record(
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE',
  images: { readonly next?: object; readonly before?: object },
): DynamoDBRecord {
  const { next, before } = images;
  return {
    eventName,
    dynamodb: {
      ...(next ? { NewImage: image(next) } : {}),
      ...(before ? { OldImage: image(before) } : {}),
    },
  };
}

describe('parseControlRecord', () => {
  test('default: a new incident', () => {
    expect(parseControlRecord(record('INSERT', { next: Codec.toIncident(open) }))).toEqual({
      type: 'incident-opened',
      incident: open,
    });
  });

  test('behavior: an incident that closes', () => {
    const images = { next: Codec.toIncident(closed), before: Codec.toIncident(open) };
    expect(parseControlRecord(record('MODIFY', images))).toEqual({
      type: 'incident-closed',
      incident: closed,
    });
  });

  test('behavior: an incident that begins to resume in steps, once for each epoch', () => {
    const resuming = (epoch: number) =>
      Codec.toIncident({ ...open, resuming: { atMs: 5, actors: ['a'], reason: 'r', epoch } });
    const begun = parseControlRecord(
      record('MODIFY', { before: Codec.toIncident(open), next: resuming(1) }),
    );
    expect(begun).toMatchObject({
      type: 'incident-resuming',
      incident: { resuming: { epoch: 1 } },
    });
    const again = record('MODIFY', { before: resuming(1), next: resuming(3) });
    expect(parseControlRecord(again).type).toBe('incident-resuming');
    const same = record('MODIFY', { before: resuming(1), next: resuming(1) });
    expect(parseControlRecord(same).type).toBe('ignored');
  });

  test('behavior: a further cause', () => {
    const cause = { incidentId: 'INC', number: 2, cause: first };
    expect(parseControlRecord(record('INSERT', { next: Codec.toCause(cause) }))).toEqual({
      type: 'cause-added',
      ...cause,
    });
  });

  test('behavior: an alert and a policy', () => {
    expect(parseControlRecord(record('INSERT', { next: Codec.toAlert(alert) }))).toEqual({
      type: 'alert-raised',
      alert,
    });
    const policy = {
      version: 1,
      hash: 'h',
      source: 's',
      compiled: 'c',
      appliedAtMs: 1,
      actor: 'ann',
    };
    expect(parseControlRecord(record('INSERT', { next: toPolicy(policy) }))).toEqual({
      type: 'policy-applied',
      policy,
    });
  });

  test.each([
    ['a page', record('INSERT', { next: Codec.toPage('p', 1) })],
    ['the flag', record('MODIFY', { next: Codec.toFlag({ atMs: 1, open: [] }) })],
    [
      'an alert again',
      record('MODIFY', { next: Codec.toAlert(alert), before: Codec.toAlert(alert) }),
    ],
    [
      'an incident that was closed already',
      record('MODIFY', { next: Codec.toIncident(closed), before: Codec.toIncident(closed) }),
    ],
    [
      'an incident that stays as it is',
      record('MODIFY', { before: Codec.toIncident(open), next: Codec.toIncident(open) }),
    ],
    ['a deletion', record('REMOVE', { before: Codec.toIncident(open) })],
    ['an empty record', {}],
  ])('behavior: %s is ignored', (_, ignored) => {
    expect(parseControlRecord(ignored)).toEqual({ type: 'ignored' });
  });

  test('error: an incident that is not as we write it', () => {
    const next = { ...Codec.toIncident(open), b: { S: '{"incidentId":"INC"}' } };
    expect(() => parseControlRecord(record('INSERT', { next }))).toThrowError(
      /stored incident INC cannot be read: b at scope/,
    );
  });
});
