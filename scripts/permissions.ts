/** Writes `docs/permissions.md`: who may do what, from the template. Run it after every wanted change. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { Breakwater } from '../lib/infra/breakwater.ts';
import { type CfnTemplate, permissionsPage } from '../lib/infra/permission-table.ts';

const root = join(import.meta.dirname, '..');
const file = join(root, 'docs', 'permissions.md');
const MARK = '<!-- generated from here: npm run permissions -->';

/** A template with everything that can be set up, so that every grant shows. */
const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
const app = new App({ context: { ...context, [BUNDLING_STACKS]: [] } });
const stack = new Stack(app, 'Breakwater');
new Breakwater(stack, 'Breakwater', {
  webhooks: { fireblocksSecretName: 'breakwater/fireblocks' },
  watch: { rpcSecretName: 'breakwater/rpc' },
  signerAccountIds: ['111122223333'],
});
const template = app.synth().getStackByName('Breakwater').template as CfnTemplate;
const [head = ''] = readFileSync(file, 'utf8').split(MARK);
writeFileSync(file, `${head}${MARK}\n\n${permissionsPage(template)}`);
