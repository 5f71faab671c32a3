/** The construct as others use it: five lines, several cells, other accounts, a VPC, warm functions. */

import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { Breakwater, type BreakwaterProps } from '../../lib/infra/breakwater.ts';
import { resourcesOf, shortOf } from './synthesized.ts';

const HERE = '111122223333';

function newApp(): App {
  return new App({ context: { [BUNDLING_STACKS]: [] } });
}

/** A stack of somebody else's app, with what nag finds in it. */
function theirs(props: BreakwaterProps = {}, more: (stack: Stack) => BreakwaterProps = () => ({})) {
  const app = newApp();
  const stack = new Stack(app, 'Payments');
  new Breakwater(stack, 'Breakwater', { ...props, ...more(stack) });
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  const findings = violations.map(({ ruleName }) => ruleName);
  return { template: Template.fromStack(stack), findings };
}

describe('Breakwater', () => {
  test('default: an app of five lines has everything, and nothing to explain', () => {
    const app = newApp();
    const stack = new Stack(app, 'Payments');
    new Breakwater(stack, 'Breakwater', { alertEmails: ['on-call@example.com'] });
    const template = Template.fromStack(stack);
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
    expect(Object.keys(template.findOutputs('*'))).toContain('OperateUrl');
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
    template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Retain' });
  }, 240_000);

  test('behavior: two cells of one account share no name; two of one stack share no output', () => {
    const app = newApp();
    const cells = ['Payments', 'Treasury'].map((cell) => {
      const stack = new Stack(app, cell);
      new Breakwater(stack, 'Breakwater');
      return stack;
    });
    const one = new Stack(app, 'Both');
    new Breakwater(one, 'First', { cellName: 'first' });
    new Breakwater(one, 'Second', { cellName: 'second' });
    const names = cells.flatMap((stack) => namesOf(Template.fromStack(stack)));
    expect(new Set(names).size).toBe(names.length);
    const both = Template.fromStack(one);
    const named = namesOf(both);
    expect(new Set(named).size).toBe(named.length);
    expect(Object.keys(both.findOutputs('*'))).toEqual(
      expect.arrayContaining(['OperateUrl', 'SecondOperateUrl']),
    );
    expect(() => new Breakwater(new Stack(newApp(), 'C'), 'B', { cellName: 'no_such' })).toThrow(
      /cellName/,
    );
  }, 240_000);

  test('args: reserverAccountIds, operatorAccountIds: by the URL and never past it', () => {
    const { template, findings } = theirs({
      reserverAccountIds: [HERE],
      operatorAccountIds: ['444455556666'],
    });
    const permissions = Object.values(resourcesOf(template, 'AWS::Lambda::Permission'))
      .map(({ Properties }) => shortOf(Properties))
      .filter((text) => /Principal=\d/.test(text));
    expect(permissions.sort()).toEqual([
      'Action=lambda:InvokeFunction FunctionName=OperateBreakerFunctionFunctionUrl.FunctionArn InvokedViaFunctionUrl=true Principal=444455556666',
      `Action=lambda:InvokeFunction FunctionName=ReserveWithdrawalFunctionFunctionUrl.FunctionArn InvokedViaFunctionUrl=true Principal=${HERE}`,
      'Action=lambda:InvokeFunctionUrl FunctionName=OperateBreakerFunctionFunctionUrl.FunctionArn FunctionUrlAuthType=AWS_IAM Principal=444455556666',
      `Action=lambda:InvokeFunctionUrl FunctionName=ReserveWithdrawalFunctionFunctionUrl.FunctionArn FunctionUrlAuthType=AWS_IAM Principal=${HERE}`,
    ]);
    expect(findings).toEqual([]);
  }, 240_000);

  test('args: network, provisionedConcurrency, keyRotation, drill', () => {
    const { template, findings } = theirs(
      {
        provisionedConcurrency: { 'ingest-events': 1, 'operate-breaker': 1 },
        reservedConcurrency: { tick: 2 },
        keyRotation: Duration.days(90),
        drill: false,
      },
      (stack) => ({ network: { vpc: new Vpc(stack, 'Vpc') as IVpc } }),
    );
    for (const { Properties } of Object.values(resourcesOf(template, 'AWS::Lambda::Function'))) {
      if (!String(Properties.FunctionName).startsWith('Payments-')) continue;
      expect(Properties.VpcConfig).toBeDefined();
    }
    template.hasResourceProperties('AWS::Lambda::Alias', {
      Name: 'live',
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 1 },
    });
    template.resourceCountIs('AWS::Lambda::Alias', 2);
    // The queue feeds what is kept warm, and the URL invokes it.
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: Match.objectLike({ 'Fn::GetAtt': [Match.stringLikeRegexp('Events'), 'Arn'] }),
      FunctionName: Match.not(Match.objectLike({ Ref: Match.anyValue() })),
    });
    template.hasResourceProperties('AWS::Lambda::Url', { Qualifier: 'live' });
    template.hasResourceProperties('AWS::KMS::Key', { RotationPeriodInDays: 90 });
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Action: Match.arrayWith(['ec2:DescribeSubnets']) }),
        ]),
      },
    });
    expect(JSON.stringify(template.toJSON())).not.toContain('run-drill');
    // A VPC without a flow log is the user's own finding, not one of the construct.
    expect(findings.filter((name) => !name.includes('VPC'))).toEqual([]);
  }, 240_000);

  test('args: webhooks: the one public endpoint has a route per provider and a throttle', () => {
    const { template, findings } = theirs({
      webhooks: { genericSecretName: 'breakwater/generic', perSecondMax: 5, burstMax: 9 },
    });
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      DefaultRouteSettings: { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 9 },
      AccessLogSettings: Match.anyValue(),
    });
    const routes = Object.values(resourcesOf(template, 'AWS::ApiGatewayV2::Route'));
    expect(routes.map(({ Properties }) => Properties.RouteKey)).toEqual(['POST /generic']);
    template.allResourcesProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
    expect(findings).toEqual([]);
  }, 240_000);
});

function namesOf(template: Template): readonly string[] {
  const properties = [
    ['AWS::Lambda::Function', 'FunctionName'],
    ['AWS::Events::EventBus', 'Name'],
    ['AWS::KMS::Alias', 'AliasName'],
    ['AWS::CloudWatch::Dashboard', 'DashboardName'],
  ] as const;
  return properties.flatMap(([type, property]) =>
    Object.values(resourcesOf(template, type)).map(
      ({ Properties }) => `${type} ${String(Properties[property])}`,
    ),
  );
}
