import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { linesOf, makeStack, resourcesOf, shortOf, synthesized } from './synthesized.ts';

const ALL = {
  webhooks: {
    alchemySecretName: 'breakwater/alchemy',
    fireblocksSecretName: 'breakwater/fireblocks',
    genericSecretName: 'breakwater/generic',
  },
};
const template = synthesized(ALL);
const policies = resourcesOf(template, 'AWS::IAM::Policy');

function verbsOf(of = policies): readonly string[] {
  return linesOf(of.WebhooksReceiveWebhookRoleDefaultPolicy?.Properties.PolicyDocument);
}

describe('WebhookReceiver', () => {
  test('default: without a provider there is no function and no open URL', () => {
    const closed = synthesized();
    expect(
      resourcesOf(closed, 'AWS::Lambda::Function').WebhooksReceiveWebhookFunction,
    ).toBeUndefined();
    closed.allResourcesProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
  });

  test('default: one URL is open, its function is bounded', () => {
    const urls = Object.entries(resourcesOf(template, 'AWS::Lambda::Url'));
    const open = urls.filter(([, { Properties }]) => Properties.AuthType !== 'AWS_IAM');
    expect(open.map(([name]) => name)).toMatchInlineSnapshot(`[]`);
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'Breakwater-receive-webhook',
      Timeout: 20,
      ReservedConcurrentExecutions: 10,
    });
    template.hasOutput('WebhookUrl', {});
  });

  test('behavior: who may call what is for everybody by the URL only', () => {
    const permissions = Object.values(resourcesOf(template, 'AWS::Lambda::Permission'));
    const open = permissions.filter(({ Properties }) => Properties.Principal === '*');
    expect(open.map(({ Properties }) => shortOf(Properties))).toMatchInlineSnapshot(`[]`);
  });

  test('behavior: it reads the policy and its secrets, and passes on; no row, no table, no heartbeat', () => {
    expect(verbsOf()).toMatchInlineSnapshot(`
      [
        "logs:CreateLogStream logs:PutLogEvents on WebhooksReceiveWebhookLogs",
        "dynamodb:BatchGetItem dynamodb:GetItem on LedgerTable if ForAllValues:StringLike=dynamodb:LeadingKeys=item#* leases prices",
        "kms:Decrypt kms:DescribeKey on TableKey if StringEquals=kms:ViaService=dynamodb.AWS::Region.AWS::URLSuffix",
        "dynamodb:GetItem on ControlTable if ForAllValues:StringEquals=dynamodb:LeadingKeys=policy",
        "events:PutEvents on IngressBus if StringEquals=events:detail-type=outflow.observed withdrawal.failed withdrawal.cancelled",
        "sqs:SendMessage on IngressRejects",
        "secretsmanager:GetSecretValue on arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:breakwater/alchemy-?????? arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:breakwater/fireblocks-?????? arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:breakwater/generic-??????",
      ]
    `);
  });

  test('behavior: without Fireblocks nothing that it says gives budget back', () => {
    const alone = synthesized({ webhooks: { genericSecretName: 'breakwater/generic' } });
    const verbs = verbsOf(resourcesOf(alone, 'AWS::IAM::Policy'));
    expect(verbs.filter((line) => line.startsWith('events:'))).toMatchInlineSnapshot(`
      [
        "events:PutEvents on IngressBus if StringEquals=events:detail-type=outflow.observed",
      ]
    `);
    expect(verbs.filter((line) => line.startsWith('secrets'))).toHaveLength(1);
  });

  test('behavior: nothing of it needs an explanation to AwsSolutions', () => {
    const { app } = makeStack(ALL);
    const { violations } = new AwsSolutionsChecks(app).validateScope(app);
    expect(violations.map(({ ruleName }) => ruleName)).toEqual([]);
  });

  test('args: concurrencyMax, secretKeyArn', () => {
    const secretKeyArn = 'arn:aws:kms:eu-west-1:111122223333:key/1234';
    const tuned = synthesized({ webhooks: { ...ALL.webhooks, concurrencyMax: 3, secretKeyArn } });
    tuned.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'Breakwater-receive-webhook',
      ReservedConcurrentExecutions: 3,
    });
    const verbs = verbsOf(resourcesOf(tuned, 'AWS::IAM::Policy'));
    expect(verbs.at(-1)).toMatchInlineSnapshot(
      `"kms:Decrypt on arn:aws:kms:eu-west-1:111122223333:key/1234 if StringEquals=kms:ViaService=secretsmanager.AWS::Region.AWS::URLSuffix"`,
    );
  });
});
