#!/usr/bin/env node
// npm links this file as `breakwater`. It is plain JavaScript because the Node that starts it may be
// too old for the TypeScript next to it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { launch, ROOT } from '../scripts/node24.mjs';

// The package has no sources, since Node strips no types in node_modules; the repository no build.
const source = join(ROOT, 'bin', 'breakwater.ts');
const program = existsSync(source) ? source : join(ROOT, 'dist', 'bin', 'breakwater.js');
launch([program, ...process.argv.slice(2)]);
