/** Runs cfn-lint, where it is installed, over the template of an app with everything that can be set up. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { Breakwater } from '../lib/infra/breakwater.ts';

/** W3005: a dependency that is there twice; the CDK names the role beside its policy. */
const IGNORED = ['W3005'];

const app = new App({ context: { [BUNDLING_STACKS]: [] } });
new Breakwater(new Stack(app, 'Linted'), 'Breakwater', {
  alertEmails: ['on-call@example.com'],
  producerAccountIds: ['111122223333'],
  reserverAccountIds: ['111122223333'],
  signerAccountIds: ['111122223333'],
  operatorAccountIds: ['111122223333'],
  webhooks: { genericSecretName: 'breakwater/generic' },
  watch: { rpcSecretName: 'breakwater/rpc' },
});
const folder = mkdtempSync(join(tmpdir(), 'cfn-lint-'));
const file = join(folder, 'template.json');
writeFileSync(file, JSON.stringify(app.synth().getStackByName('Linted').template));
const how = ['--regions', 'eu-west-1', '--ignore-checks', ...IGNORED, '--', file];
const { error, status, stdout } = spawnSync('cfn-lint', how, { encoding: 'utf8' });
rmSync(folder, { recursive: true, force: true });
if (error) process.stdout.write('cfn-lint is not installed; nothing was checked\n');
else process.stdout.write(status === 0 ? 'cfn-lint: clean\n' : stdout);
process.exitCode = error ? 0 : (status ?? 1);
