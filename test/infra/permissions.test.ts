import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allow } from '../../lib/infra/allow.ts';
import type { Breakwater } from '../../lib/infra/breakwater.ts';
import type { BreakwaterFunction } from '../../lib/infra/breakwater-function.ts';
import {
  type CfnTemplate,
  permissionsOf,
  permissionsPage,
} from '../../lib/infra/permission-table.ts';
import { makeStack } from './synthesized.ts';

/** As `scripts/permissions.ts` sets it up: everything that can be granted is. */
const PROPS = {
  webhooks: { fireblocksSecretName: 'breakwater/fireblocks' },
  watch: { rpcSecretName: 'breakwater/rpc' },
  signerAccountIds: ['111122223333'],
};
const EXPECTED = readFileSync(join(import.meta.dirname, '../../docs/permissions.md'), 'utf8');

function templateOf(widen: (breakwater: Breakwater) => void = () => undefined): CfnTemplate {
  const { app, breakwater } = makeStack(PROPS);
  widen(breakwater);
  return app.synth().getStackByName('Breakwater').template;
}

const template = templateOf();
const { granted, byResource } = permissionsOf(template);
const WRITES = /^dynamodb:(Put|Update|Delete)Item$/;
/** Who may write a partition key of a table. */
const writersOf = (on: string, key: string) =>
  [
    ...new Set(
      granted
        .filter((one) => one.on === on && one.verbs.some((verb) => WRITES.test(verb)))
        .filter(({ condition }) => condition === '' || condition.includes(`\`${key}\``))
        .map(({ who }) => who),
    ),
  ].sort();
const DECIDERS = [
  'close-withdrawal',
  'ingest-events',
  'operate-breaker',
  'reserve-withdrawal',
  'tick',
  'watch-chain',
];
/** Who carries out what people have agreed on. */
const CEREMONY = ['operate-breaker', 'tick'];

describe('permissionsPage', () => {
  test('default: what the constructs grant is what docs/permissions.md shows; H86', () => {
    const [, shown] = EXPECTED.split('<!-- generated from here: npm run permissions -->\n\n');
    expect(permissionsPage(template)).toBe(shown);
  });

  test('behavior: a widened grant is not what is shown, nor a narrowed denial', () => {
    const wider = templateOf((breakwater) => {
      const fn = breakwater.node.findChild('ProjectState') as BreakwaterFunction;
      allow(fn, {
        actions: ['dynamodb:PutItem'],
        resources: [breakwater.control.table.tableArn],
      });
    });
    expect(EXPECTED).not.toContain(permissionsPage(wider));
    const { Resources } = structuredClone(template) as { Resources: Record<string, never> };
    for (const [id, { Type }] of Object.entries(Resources) as [string, { Type: string }][]) {
      if (Type !== 'AWS::DynamoDB::Table') continue;
      const { Properties } = Resources[id] as unknown as {
        Properties: { ResourcePolicy: { PolicyDocument: { Statement: unknown[] } } };
      };
      Properties.ResourcePolicy.PolicyDocument.Statement.shift();
    }
    expect(EXPECTED).not.toContain(permissionsPage({ Resources }));
  });
});

describe('Breakwater', () => {
  test('behavior: only the decision path writes meters with their breakers', () => {
    expect(writersOf('LedgerTable', 'item#*')).toEqual(DECIDERS);
    expect(writersOf('LedgerTable', 'leases')).toEqual(['tick']);
    expect(writersOf('LedgerTable', 'heartbeat')).toEqual(['ingest-events']);
  });

  test('behavior: only operate-breaker and tick close, put policies and decide proposals', () => {
    for (const key of ['closed', 'due', 'policy', 'proposal']) {
      expect(writersOf('ControlTable', key), key).toEqual(CEREMONY);
    }
    expect(writersOf('LedgerTable', 'row#proposal:*')).toEqual(CEREMONY);
    expect(writersOf('ControlTable', 'draft')).toEqual(['operate-breaker']);
    expect(writersOf('ControlTable', 'entry')).toEqual(['operate-breaker']);
    expect(writersOf('ControlTable', 'incident')).toEqual(DECIDERS);
  });

  test('behavior: project-state, drill and readers write nothing but their own rows', () => {
    const written = granted
      .filter((one) => one.verbs.some((verb) => WRITES.test(verb)))
      .filter(({ who }) => !DECIDERS.includes(who))
      .map(({ who, on, condition }) => `${who}: ${on} ${condition}`);
    expect(written).toEqual([
      'project-state: ControlTable `audit-wait`',
      'project-state: ControlTable `audit` `audit-entry` `audit-head` `audit-wait` `flag` `page`',
    ]);
  });

  test('behavior: no writer of a table writes all of it', () => {
    const whole = granted.filter(
      ({ on, verbs, condition }) =>
        /^(Ledger|Control)Table$/.test(on) &&
        condition === '' &&
        verbs.some((verb) => WRITES.test(verb)),
    );
    expect(whole).toEqual([]);
  });

  test('behavior: the tables deny everybody else; whoever is granted a protected key is excepted', () => {
    const denials = byResource.filter(
      ({ effect, on }) => effect === 'Deny' && on.endsWith('Table'),
    );
    expect(denials).toHaveLength(12);
    for (const { on, condition } of denials) {
      const [keys = '', writers = ''] = condition.split('; unless aws:PrincipalArn ');
      for (const key of keys.replaceAll('`', '').split(' ')) {
        expect(writersOf(on, key)).toEqual(writers.replaceAll('`', '').split(' ').sort());
      }
    }
  });

  test('behavior: the topics name their publishers', () => {
    const publishers = granted
      .filter(({ verbs }) => verbs.includes('sns:Publish'))
      .map(({ who, on }) => `${who} → ${on}`);
    expect(publishers.sort()).toEqual([
      'Operators → AlertsControl',
      'project-state → AlertsAlert',
      'run-drill → AlertsAlert',
      'tick → AlertsAlert',
    ]);
  });

  test('args: commandPublisherArns', () => {
    const only = 'arn:aws:iam::111122223333:role/bridge';
    const { app } = makeStack({ commandPublisherArns: [only] });
    const own = permissionsOf(app.synth().getStackByName('Breakwater').template).byResource;
    const [denial] = own.filter(
      ({ on, condition }) => on === 'AlertsControlPolicy' && condition.includes('unless'),
    );
    expect(denial?.condition).toContain(`unless aws:PrincipalArn \`${only}\``);
  });
});
