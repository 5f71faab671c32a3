// Writes schemas/policy.schema.json from the Zod schema. With --check it writes nothing and fails
// when the file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policyJsonSchema } from '../lib/adapters/policy-file/json-schema.ts';

const FILE = fileURLToPath(new URL('../schemas/policy.schema.json', import.meta.url));

const text = policyJsonSchema();
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, text);
  console.log(`wrote ${FILE}`);
} else if (readFileSync(FILE, 'utf8') !== text) {
  console.error('schemas/policy.schema.json is stale; run: node scripts/schema.ts');
  process.exitCode = 1;
}
