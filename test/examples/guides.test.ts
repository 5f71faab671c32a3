import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** The fenced blocks of a guide in these languages, as they are written. */
function blocks(guide: string): readonly string[] {
  const text = readFileSync(join(ROOT, 'docs/guides', guide), 'utf8');
  return [...text.matchAll(/^ *```(?:ts|json)\n(.*?)^ *```$/gms)].map(([, code = '']) => code);
}

describe('docs/guides', () => {
  test.each([
    ['aws-kms-signer.md', 'examples/kms-signer'],
    ['fireblocks-callback.md', 'examples/fireblocks-callback'],
  ])('behavior: %s shows the code of %s, word for word', (guide, folder) => {
    const files = globSync(join(ROOT, folder, '*.{ts,json}')).map((file) =>
      readFileSync(file, 'utf8'),
    );
    const shown = blocks(guide);
    expect(shown.length).toBeGreaterThan(1);
    for (const code of shown) {
      expect(
        files.some((file) => file.includes(code)),
        code,
      ).toBe(true);
    }
  });
});
