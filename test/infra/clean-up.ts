/**
 * After each test file that synthesizes. The CDK keeps an app without a folder of its own in the
 * temporary folder and takes it out again when its process exits. A worker that vitest ends by a
 * signal does not get there.
 */

import { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { afterAll } from 'vitest';

afterAll(() => CloudAssembly.cleanupTemporaryDirectories());
