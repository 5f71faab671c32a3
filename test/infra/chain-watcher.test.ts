import { describe, expect, test } from 'vitest';
import { linesOf, resourcesOf, synthesized } from './synthesized.ts';

const ALL = { watch: { rpcSecretName: 'breakwater/rpc' } };
const template = synthesized(ALL);
const policies = resourcesOf(template, 'AWS::IAM::Policy');

describe('ChainWatcher', () => {
  test('default: without a secret there is no function', () => {
    const without = synthesized();
    expect(resourcesOf(without, 'AWS::Lambda::Function').WatchWatchChainFunction).toBeUndefined();
  });

  test('default: once a minute, never tried again, two at once at most', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'Breakwater-watch-chain',
      Timeout: 90,
      ReservedConcurrentExecutions: 2,
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      Description: 'Breakwater: watch-chain',
      ScheduleExpression: 'rate(1 minute)',
    });
  });

  test('behavior: it decides as the ingest does, and reads one secret', () => {
    expect(
      linesOf(policies.WatchWatchChainRoleDefaultPolicy?.Properties.PolicyDocument),
    ).toMatchInlineSnapshot(`
      [
        "logs:CreateLogStream logs:PutLogEvents on WatchWatchChainLogs",
        "dynamodb:BatchGetItem dynamodb:GetItem on LedgerTable",
        "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:PutItem on LedgerTable if ForAllValues:StringLike=dynamodb:LeadingKeys=item#* row#* balance#* prices sight#*",
        "dynamodb:GetItem on ControlTable",
        "dynamodb:PutItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=alert incident held grace watch",
        "dynamodb:UpdateItem on ControlTable if ForAllValues:StringLike=dynamodb:LeadingKeys=alert cause#*",
        "dynamodb:DeleteItem dynamodb:Query on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=held grace",
        "secretsmanager:GetSecretValue on arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:breakwater/rpc-??????",
      ]
    `);
  });

  test('behavior: a key of the customer’s own is used through Secrets Manager only', () => {
    const keyed = synthesized({
      watch: {
        rpcSecretName: 'breakwater/rpc',
        secretKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/1234',
      },
    });
    const { WatchWatchChainRoleDefaultPolicy: policy } = resourcesOf(keyed, 'AWS::IAM::Policy');
    expect(linesOf(policy?.Properties.PolicyDocument).at(-1)).toMatchInlineSnapshot(
      `"kms:Decrypt on arn:aws:kms:eu-west-1:111122223333:key/1234 if StringEquals=kms:ViaService=secretsmanager.AWS::Region.AWS::URLSuffix"`,
    );
  });

  test('behavior: a function that breaks alarms', () => {
    const alarms = Object.keys(resourcesOf(template, 'AWS::CloudWatch::Alarm'));
    expect(alarms.filter((name) => name.includes('Watcher'))).toEqual([
      'AlarmsWatcherBehind',
      'AlarmsWatcherErrors',
    ]);
  });
});
