// Loaded before everything else (`node --import`): one module of the product is read with one change.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const { file, from, to } = JSON.parse(process.env.BREAKWATER_MUTANT ?? '{}');

registerHooks({
  load(url, context, nextLoad) {
    if (!file || !url.endsWith(`/${file}`)) return nextLoad(url, context);
    const source = readFileSync(fileURLToPath(url), 'utf8');
    const parts = source.split(from);
    if (parts.length !== 2) {
      throw new Error(`the change of ${file} is found ${parts.length - 1} times, not once`);
    }
    return { format: 'module-typescript', source: parts.join(to), shortCircuit: true };
  },
});
