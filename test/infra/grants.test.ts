import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { allow } from '../../lib/infra/allow.ts';
import type { Breakwater } from '../../lib/infra/breakwater.ts';
import type { BreakwaterFunction } from '../../lib/infra/breakwater-function.ts';
import { linesOf, makeStack, resourcesOf, synthesized } from './synthesized.ts';

const template = synthesized();
const policies = {
  ...resourcesOf(template, 'AWS::IAM::Policy'),
  ...resourcesOf(template, 'AWS::IAM::ManagedPolicy'),
};
const verbsOf = (name: string) => linesOf(policies[name]?.Properties.PolicyDocument);

describe('Breakwater', () => {
  test('default: nothing but these policies exists', () => {
    expect(Object.keys(policies)).toMatchInlineSnapshot(`
      [
        "AuditPut",
        "IngestEventsRoleDefaultPolicy",
        "IngestEventsTracing",
        "ReserveWithdrawalRoleDefaultPolicy",
        "ReserveWithdrawalTracing",
        "CloseWithdrawalRoleDefaultPolicy",
        "CloseWithdrawalTracing",
        "ProjectStateRoleDefaultPolicy",
        "ProjectStateTracing",
        "OperateBreakerRoleDefaultPolicy",
        "OperateBreakerTracing",
        "TickRoleDefaultPolicy",
        "TickTracing",
        "RunDrillRoleDefaultPolicy",
        "RunDrillTracing",
        "Operators",
        "Producers",
        "Closers",
        "Reservers",
        "Verifiers",
        "FlagReaders",
      ]
    `);
    expect(Object.keys(resourcesOf(template, 'AWS::IAM::Role'))).toMatchInlineSnapshot(`
      [
        "IngestEventsRole",
        "ReserveWithdrawalRole",
        "CloseWithdrawalRole",
        "ProjectStateRole",
        "OperateBreakerRole",
        "TickRole",
        "RunDrillRole",
      ]
    `);
  });

  test('behavior: readers of the flag see meters, leases and policies, no ledger row, and write nothing', () => {
    expect(verbsOf('FlagReaders')).toMatchInlineSnapshot(`
      [
        "dynamodb:BatchGetItem dynamodb:GetItem on LedgerTable if ForAllValues:StringLike=dynamodb:LeadingKeys=item#* leases prices",
        "kms:Decrypt kms:DescribeKey on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:GetItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=policy",
      ]
    `);
  });

  test('behavior: ingest-events decides, consumes, hands back and rejects', () => {
    expect(verbsOf('IngestEventsRoleDefaultPolicy')).toMatchInlineSnapshot(`
      [
        "logs:CreateLogStream logs:PutLogEvents on IngestEventsLogs",
        "dynamodb:BatchGetItem dynamodb:GetItem on LedgerTable",
        "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:PutItem on LedgerTable if ForAllValues:StringLike=dynamodb:LeadingKeys=item#* row#* balance#* heartbeat stuck",
        "dynamodb:GetItem on ControlTable",
        "dynamodb:PutItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=alert incident held grace",
        "dynamodb:UpdateItem on ControlTable if ForAllValues:StringLike=dynamodb:LeadingKeys=alert cause#*",
        "dynamodb:DeleteItem dynamodb:Query on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=held grace",
        "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage on IngressEvents",
        "sqs:SendMessage on IngressRejects",
      ]
    `);
  });

  test('behavior: project-state reads the stream and writes flags, pages and the audit chain only', () => {
    expect(verbsOf('ProjectStateRoleDefaultPolicy')).toMatchInlineSnapshot(`
      [
        "logs:CreateLogStream logs:PutLogEvents on ProjectStateLogs",
        "dynamodb:GetItem dynamodb:Query on ControlTable",
        "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:PutItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=flag page audit audit-entry audit-head audit-wait",
        "dynamodb:DeleteItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=audit-wait",
        "kms:GetPublicKey kms:Sign on AuditKey",
        "kms:Decrypt kms:GenerateDataKey on TableKey if StringEquals=kms:ViaService=s3.AWS::Region.AWS::URLSuffix",
        "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams on ControlTable.StreamArn",
        "sqs:SendMessage on FailedProjections",
        "sns:Publish on AlertsAlert",
        "kms:Decrypt kms:GenerateDataKey on AlertsTopicKey",
      ]
    `);
  });

  test('behavior: reserve-withdrawal decides and signs', () => {
    expect(verbsOf('ReserveWithdrawalRoleDefaultPolicy')).toMatchInlineSnapshot(`
      [
        "logs:CreateLogStream logs:PutLogEvents on ReserveWithdrawalLogs",
        "dynamodb:BatchGetItem dynamodb:GetItem on LedgerTable",
        "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:PutItem on LedgerTable if ForAllValues:StringLike=dynamodb:LeadingKeys=item#* row#*",
        "dynamodb:GetItem on ControlTable",
        "dynamodb:PutItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=alert incident held grace",
        "dynamodb:UpdateItem on ControlTable if ForAllValues:StringLike=dynamodb:LeadingKeys=alert cause#*",
        "dynamodb:DeleteItem dynamodb:Query on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=held grace",
        "kms:GetPublicKey kms:Sign on AdmissionKey",
      ]
    `);
  });

  test('behavior: close-withdrawal decides and does not sign; who reserves may not close', () => {
    expect(verbsOf('CloseWithdrawalRoleDefaultPolicy')).toMatchInlineSnapshot(`
      [
        "logs:CreateLogStream logs:PutLogEvents on CloseWithdrawalLogs",
        "dynamodb:BatchGetItem dynamodb:GetItem on LedgerTable",
        "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:PutItem on LedgerTable if ForAllValues:StringLike=dynamodb:LeadingKeys=item#* row#*",
        "dynamodb:GetItem on ControlTable",
        "dynamodb:PutItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=alert incident held grace",
        "dynamodb:UpdateItem on ControlTable if ForAllValues:StringLike=dynamodb:LeadingKeys=alert cause#*",
        "dynamodb:DeleteItem dynamodb:Query on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=held grace",
      ]
    `);
    expect(verbsOf('Closers')).toMatchInlineSnapshot(`
      [
        "events:PutEvents on IngressBus if StringEquals=events:detail-type=withdrawal.settled withdrawal.failed withdrawal.cancelled withdrawal.replaced",
        "lambda:InvokeFunctionUrl on CloseWithdrawalFunctionFunctionUrl.FunctionArn if StringEquals=lambda:FunctionUrlAuthType=AWS_IAM",
        "lambda:InvokeFunction on CloseWithdrawalFunctionFunctionUrl.FunctionArn if Bool=lambda:InvokedViaFunctionUrl=true",
      ]
    `);
    expect(verbsOf('Reservers').filter((line) => line.includes('Close'))).toEqual([]);
  });

  test('behavior: operate-breaker decides and lists', () => {
    expect(verbsOf('OperateBreakerRoleDefaultPolicy')).toMatchInlineSnapshot(`
      [
        "logs:CreateLogStream logs:PutLogEvents on OperateBreakerLogs",
        "dynamodb:BatchGetItem dynamodb:GetItem on LedgerTable",
        "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:PutItem on LedgerTable if ForAllValues:StringLike=dynamodb:LeadingKeys=item#* row#* row#proposal:*",
        "dynamodb:Query on LedgerTable/index/open-reservations",
        "dynamodb:GetItem dynamodb:Query on ControlTable",
        "dynamodb:PutItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=alert incident held grace closed due policy proposal entry",
        "dynamodb:UpdateItem on ControlTable if ForAllValues:StringLike=dynamodb:LeadingKeys=alert cause#*",
        "dynamodb:UpdateItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=draft entry",
        "dynamodb:DeleteItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=held grace due",
        "sqs:GetQueueAttributes on AlertsFailedCommands FailedProjections IngressDeadLetters IngressEvents IngressRejects",
        "kms:GetPublicKey on AdmissionKey",
        "sqs:SendMessage on AlertsFailedCommands",
      ]
    `);
  });

  test('behavior: tick probes the ingress and decides on what is held', () => {
    expect(verbsOf('TickRoleDefaultPolicy')).toMatchInlineSnapshot(`
      [
        "logs:CreateLogStream logs:PutLogEvents on TickLogs",
        "dynamodb:BatchGetItem dynamodb:GetItem on LedgerTable",
        "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:PutItem on LedgerTable if ForAllValues:StringLike=dynamodb:LeadingKeys=item#* row#* leases row#proposal:*",
        "dynamodb:Query on LedgerTable/index/open-reservations",
        "dynamodb:GetItem on ControlTable",
        "dynamodb:PutItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=alert incident held grace closed due policy proposal page",
        "dynamodb:UpdateItem on ControlTable if ForAllValues:StringLike=dynamodb:LeadingKeys=alert cause#*",
        "dynamodb:DeleteItem dynamodb:Query on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=held grace",
        "dynamodb:Query on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=incident",
        "dynamodb:DeleteItem dynamodb:Query on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=due",
        "events:PutEvents on IngressBus if StringEquals=events:detail-type=heartbeat",
        "sqs:GetQueueAttributes on IngressDeadLetters",
        "sns:Publish on AlertsAlert",
        "kms:Decrypt kms:GenerateDataKey on AlertsTopicKey",
      ]
    `);
  });

  test('behavior: the policies to hand out', () => {
    expect(verbsOf('Operators')).toMatchInlineSnapshot(`
      [
        "lambda:GetFunctionUrlConfig on OperateBreakerFunctionFunctionUrl.FunctionArn",
        "lambda:InvokeFunctionUrl on OperateBreakerFunctionFunctionUrl.FunctionArn if StringEquals=lambda:FunctionUrlAuthType=AWS_IAM",
        "lambda:InvokeFunction on OperateBreakerFunctionFunctionUrl.FunctionArn if Bool=lambda:InvokedViaFunctionUrl=true",
        "cloudformation:DescribeStacks on AWS::StackId",
        "sns:Publish on AlertsControl",
        "kms:Decrypt kms:GenerateDataKey on AlertsTopicKey",
      ]
    `);
    expect(verbsOf('Reservers')).toMatchInlineSnapshot(`
      [
        "lambda:InvokeFunctionUrl on ReserveWithdrawalFunctionFunctionUrl.FunctionArn if StringEquals=lambda:FunctionUrlAuthType=AWS_IAM",
        "lambda:InvokeFunction on ReserveWithdrawalFunctionFunctionUrl.FunctionArn if Bool=lambda:InvokedViaFunctionUrl=true",
      ]
    `);
    expect(verbsOf('Verifiers')).toMatchInlineSnapshot(`
      [
        "kms:GetPublicKey on AdmissionKey",
      ]
    `);
    expect(verbsOf('Producers')).toMatchInlineSnapshot(`
      [
        "events:PutEvents on IngressBus if StringEquals=events:detail-type=withdrawal.reported batch.declared outflow.observed",
      ]
    `);
  });

  test('behavior: the only wildcard is the one that X-Ray forces', () => {
    const wild = Object.entries(policies).flatMap(([name, policy]) =>
      linesOf(policy.Properties.PolicyDocument)
        // A condition only narrows what stands before it.
        .filter((line) => line.split(' if ')[0]?.includes('*'))
        .map((line) => `${name}: ${line}`),
    );
    expect(wild).toMatchInlineSnapshot(`
      [
        "AuditPut: s3:PutObject on AuditBucket/audit/*",
        "IngestEventsTracing: xray:PutTelemetryRecords xray:PutTraceSegments on *",
        "ReserveWithdrawalTracing: xray:PutTelemetryRecords xray:PutTraceSegments on *",
        "CloseWithdrawalTracing: xray:PutTelemetryRecords xray:PutTraceSegments on *",
        "ProjectStateTracing: xray:PutTelemetryRecords xray:PutTraceSegments on *",
        "OperateBreakerTracing: xray:PutTelemetryRecords xray:PutTraceSegments on *",
        "TickTracing: xray:PutTelemetryRecords xray:PutTraceSegments on *",
        "RunDrillTracing: xray:PutTelemetryRecords xray:PutTraceSegments on *",
      ]
    `);
  });

  test('behavior: the audit chain is signed by project-state only, whoever else holds the verb', () => {
    const keys = resourcesOf(template, 'AWS::KMS::Key');
    const deny = linesOf(keys.AuditKey?.Properties.KeyPolicy).filter((line) => /Deny/.test(line));
    expect(deny).toEqual([
      'Deny kms:Sign on * by AWS=* if ArnNotEquals=aws:PrincipalArn=ProjectStateRole',
    ]);
    const signs = Object.keys(policies).filter((name) =>
      verbsOf(name).some((line) => /kms:Sign/.test(line) && /AuditKey/.test(line)),
    );
    expect(signs).toEqual(['ProjectStateRoleDefaultPolicy']);
  });

  test('behavior: no role holds a managed policy, and nobody may scan, or delete but from what waits', () => {
    for (const role of Object.values(resourcesOf(template, 'AWS::IAM::Role'))) {
      expect(role.Properties.ManagedPolicyArns).toBeUndefined();
      expect(role.Properties.Policies).toBeUndefined();
    }
    const dangerous = Object.keys(policies)
      .flatMap(verbsOf)
      .filter((line) => /dynamodb:(Delete|Scan|Batch(Write|Exec)|Partiql)/i.test(line));
    const fromWaiting =
      /^dynamodb:DeleteItem( dynamodb:Query)? on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=(held grace( due)?|due|audit-wait)$/;
    expect(dangerous.length).toBeGreaterThan(0);
    for (const line of dangerous) expect(line).toMatch(fromWaiting);
  });

  test('behavior: the environment of each function is what its grants set', () => {
    const functions = resourcesOf(template, 'AWS::Lambda::Function');
    const names = Object.entries(functions).map(([id, fn]) => {
      const environment = fn.Properties.Environment as { Variables: Record<string, unknown> };
      return `${id}: ${Object.keys(environment.Variables).sort().join(' ')}`;
    });
    expect(names).toMatchInlineSnapshot(`
      [
        "IngestEventsFunction: BREAKWATER_CELL CONTROL_TABLE EVENTS_QUEUE_URL LEDGER_TABLE NODE_OPTIONS REJECT_QUEUE_URL",
        "ReserveWithdrawalFunction: ADMISSION_AUDIENCE ADMISSION_ISSUER ADMISSION_KEY_ID BREAKWATER_CELL CONTROL_TABLE LEDGER_TABLE NODE_OPTIONS",
        "CloseWithdrawalFunction: BREAKWATER_CELL CONTROL_TABLE LEDGER_TABLE NODE_OPTIONS",
        "ProjectStateFunction: ALERT_TOPIC_ARN AUDIT_BUCKET AUDIT_ISSUER AUDIT_KEY_ID BREAKWATER_CELL CONTROL_TABLE NODE_OPTIONS",
        "OperateBreakerFunction: ADMISSION_ISSUER ADMISSION_KEY_ID BREAKWATER_CELL CONTROL_TABLE EVENTS_DLQ_URL EVENTS_QUEUE_URL FAILED_COMMANDS_URL FAILED_PROJECTIONS_URL LEDGER_TABLE NODE_OPTIONS REJECT_QUEUE_URL",
        "TickFunction: ALERT_TOPIC_ARN BREAKWATER_CELL CONTROL_TABLE EVENTS_DLQ_URL EVENT_BUS_NAME LEDGER_TABLE NODE_OPTIONS TICK_LOOP_MS",
        "RunDrillFunction: ALERT_TOPIC_ARN BREAKWATER_CELL CONTROL_TABLE DRILL_OBJECTIVE_MS EVENT_BUS_NAME LEDGER_TABLE NODE_OPTIONS OPERATE_URL",
      ]
    `);
  });
});

describe('AwsSolutionsChecks', () => {
  const findingsOf = (widen: (fn: BreakwaterFunction, breakwater: Breakwater) => void) => {
    const { app, breakwater } = makeStack({ producerAccountIds: ['111122223333'] });
    const fn = breakwater.node.findChild('IngestEvents') as BreakwaterFunction;
    widen(fn, breakwater);
    return new AwsSolutionsChecks(app)
      .validateScope(app)
      .violations.map(({ ruleName }) => ruleName);
  };

  test('default: no finding is left', () => {
    expect(findingsOf(() => {})).toEqual([]);
  });

  test('behavior: a widened verb is found', () => {
    const widen = (fn: BreakwaterFunction, { ledger }: Breakwater) =>
      allow(fn, { actions: ['dynamodb:*'], resources: [ledger.table.tableArn] });
    expect(findingsOf(widen)).toEqual(['AwsSolutions-IAM5[Action::dynamodb:*]']);
  });

  test('behavior: a widened resource is found although tracing explains one of its own', () => {
    const widen = (fn: BreakwaterFunction) =>
      allow(fn, { actions: ['dynamodb:GetItem'], resources: ['*'] });
    expect(findingsOf(widen)).toEqual(['AwsSolutions-IAM5[Resource::*]']);
  });
});
