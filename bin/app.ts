import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { BreakwaterStack } from '../lib/infra/breakwater-stack.ts';

// Settings come as context, comma-separated: `cdk deploy -c alertEmails=a@example.com`.
const app = new App();
const listOf = (name: string): readonly string[] =>
  String(app.node.tryGetContext(name) ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

const admissionKeys = listOf('admissionKeys');
const textOf = (name: string): string | undefined => app.node.tryGetContext(name) || undefined;
const rpcSecretName = textOf('rpcSecretName');
const webhooks = {
  ...named('alchemySecretName'),
  ...named('fireblocksSecretName'),
  ...named('genericSecretName'),
};

function named(name: string): Record<string, string> {
  const value = textOf(name);
  return value === undefined ? {} : { [name]: value };
}

new BreakwaterStack(app, String(app.node.tryGetContext('stackName') ?? 'Breakwater'), {
  description: 'Breakwater: a circuit-breaker for withdrawals',
  alertEmails: listOf('alertEmails'),
  producerAccountIds: listOf('producerAccountIds'),
  ...(admissionKeys.length === 0 ? {} : { admissionKeys }),
  ...(Object.keys(webhooks).length > 0 && { webhooks }),
  ...(rpcSecretName !== undefined && { watch: { rpcSecretName } }),
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
