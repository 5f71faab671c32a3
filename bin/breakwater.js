#!/usr/bin/env node
// npm links this file as `breakwater`. It is plain JavaScript because the Node that starts it may be
// too old for the TypeScript next to it.
import { join } from 'node:path';
import { launch, ROOT } from '../scripts/node24.mjs';

launch([join(ROOT, 'bin', 'breakwater.ts'), ...process.argv.slice(2)]);
