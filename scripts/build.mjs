#!/usr/bin/env node
// What the package holds for others: JavaScript with types in `dist`, because Node strips no types in
// node_modules. Nothing in this repository reads it. Plain JavaScript for the same reason as node24.mjs.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findBin, ROOT } from './node24.mjs';

/** What the CLI reads beside the code, at the same places as in the repository. */
const DATA = [join('examples', 'incidents'), join('examples', 'policies')];

// npm calls `prepare` after every `npm ci` too, where nobody needs the build; this variable is there
// only when it makes a tarball: for `npm pack`, for an install from a git URL, with --install-links.
const isPacking = process.env.npm_package_resolved !== undefined;
if (!process.argv.includes('--when-packed') || isPacking) build();

function build() {
  const tsc = findBin({ root: ROOT, name: 'tsc' });
  if (tsc === undefined) throw new Error('TypeScript is not installed. Run `npm ci` first.');
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  const args = [tsc, '--project', join(ROOT, 'tsconfig.build.json')];
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  for (const folder of DATA) {
    cpSync(join(ROOT, folder), join(ROOT, 'dist', folder), { recursive: true });
  }
}
