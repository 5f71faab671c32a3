import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Breakwater } from '../lib/infra/breakwater.ts';

// Settings come as context, comma-separated: `cdk deploy -c alertEmails=a@example.com`.
const app = new App();
const textOf = (name: string): string | undefined => app.node.tryGetContext(name) || undefined;
const listOf = (name: string): readonly string[] =>
  (textOf(name) ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
/** A property that is there only if its setting is. */
function named<T>(name: string, value: T | undefined): Readonly<Record<string, T>> {
  return value === undefined ? {} : { [name]: value };
}

const admissionKeys = listOf('admissionKeys');
const rpcSecretName = textOf('rpcSecretName');
const webhooks = {
  ...named('alchemySecretName', textOf('alchemySecretName')),
  ...named('fireblocksSecretName', textOf('fireblocksSecretName')),
  ...named('genericSecretName', textOf('genericSecretName')),
};

// One stack for each cell: `-c cells=payments,treasury`. It cannot be deleted by accident, and its
// tables and keys outlive it.
const [first = 'Breakwater', ...others] = listOf('cells');
for (const cell of [textOf('stackName') ?? first, ...others]) {
  const stack = new Stack(app, cell, {
    description: 'Breakwater: a circuit-breaker for withdrawals',
    terminationProtection: true,
  });
  new Breakwater(stack, 'Breakwater', {
    alertEmails: listOf('alertEmails'),
    producerAccountIds: listOf('producerAccountIds'),
    reserverAccountIds: listOf('reserverAccountIds'),
    signerAccountIds: listOf('signerAccountIds'),
    operatorAccountIds: listOf('operatorAccountIds'),
    ...named('runbooks', textOf('runbooks')),
    ...(admissionKeys.length > 0 && { admissionKeys }),
    ...(Object.keys(webhooks).length > 0 && { webhooks }),
    ...(rpcSecretName !== undefined && { watch: { rpcSecretName } }),
  });
}
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
