import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../lib/cli/exit-code.ts';
import { run } from './run.ts';

const COLUMNS =
  'time_utc,chain,asset,token_address,decimals,amount,amount_usd,from,to,tx_hash,source_url,precision';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folderWith(rows: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-replay-'));
  folders.push(folder);
  writeFileSync(join(folder, 'ours.csv'), [COLUMNS, ...rows, ''].join('\n'));
  return folder;
}

describe('replay', () => {
  test('error: neither a replay nor a file: names those that there are', async () => {
    const { code, out, err } = await run(['replay', 'mtgox-2014']);
    expect(code).toBe(EXIT.usage);
    expect(out).toBe('');
    expect(err).toContain('There is no replay and no file called mtgox-2014.');
    expect(err).toContain('coinex-2023, ronin-2022, stake-2023');
  });

  test("error: a file of one's own needs a policy", async () => {
    const cwd = folderWith(['2024-01-01T00:00:00Z,ethereum,ETH,,18,1,2000,,,,ours,exact']);
    const { code, err } = await run(['replay', 'ours.csv'], { cwd });
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('No policy comes with ours.csv.');
    expect(err).toContain('--policy FILE');
  });

  test('error: a row that cannot be used: names file, line and field', async () => {
    const cwd = folderWith(['yesterday,ethereum,ETH,,18,1,2000,,,,ours,exact']);
    const policy = join(import.meta.dirname, '../../examples/policies/starter.yaml');
    const { code, err } = await run(['replay', 'ours.csv', '--policy', policy], { cwd });
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('ours.csv, line 2, field time_utc');
  });
});

describe('local', () => {
  test('error: a tick, and a port, that are none', async () => {
    for (const [option, value] of [
      ['--tick', '5'],
      ['--tick', '2h'],
      ['--tick', '499ms'],
      ['--port', '0'],
      ['--port', '65536'],
      ['--port', 'http'],
    ] as const) {
      const { code, err } = await run(['local', option, value]);
      expect([option, value, code]).toEqual([option, value, EXIT.usage]);
      expect(err).toContain('It must be');
    }
  });
});
