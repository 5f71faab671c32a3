import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as Build from '../support/builders.ts';
import {
  ask,
  enterFolder,
  type Launched,
  launch,
  observation,
  post,
  report,
  send,
} from '../support/local-runtime.ts';
import { type Ran, run } from './run.ts';

let place: Awaited<ReturnType<typeof enterFolder>>;
let runtime: Launched;
let leak: string;
let byLimit: string;
const ran = (...argv: readonly string[]): Promise<Ran> =>
  run([...argv, '--url', runtime.url], { cwd: place.path });
const pathOf = (...names: readonly string[]) => join(place.path, ...names);

async function openIncident(scope: string): Promise<string> {
  const { body } = await ask(runtime, { command: 'incidents' });
  const all = body as readonly { readonly scope: string; readonly incidentId: string }[];
  return all.find((each) => each.scope === scope)?.incidentId ?? '';
}

beforeAll(async () => {
  place = await enterFolder();
  runtime = await launch({ folder: pathOf('state') });
  await send(runtime, report('w-1'), report('w-2', { amount: '1200000000', wallet: Build.HOT_3 }));
  await send(runtime, observation('0x1'), observation('0x2', { amount: '5000000' }));
  leak = await openIncident('key-domain:vault-a');
  byLimit = await openIncident('wallet:hot-3');
  const resume = { command: 'resume', incidentId: byLimit, reason: 'a [big](x) | customer' };
  await ask(runtime, { ...resume, commandId: 'resume-01' });
  await ask(runtime, { ...resume, commandId: 'resume-02' });
  await post(runtime, '/commands', 'garbage');
  await runtime.idle();
}, 60_000);
afterAll(async () => {
  await runtime?.stop();
  if (process.env.KEEP_PACK) execFileSync('cp', ['-r', place.path, process.env.KEEP_PACK]);
  await place?.leave();
});

describe('audit', () => {
  test('default: exported, verified by the CLI and by the script alone', async () => {
    const { code, err } = await ran('audit', 'export', '--out', 'chain.jsonl');
    expect([code, err]).toEqual([0, expect.stringContaining('WHOLE chain.jsonl: ')]);
    const rows = readFileSync(pathOf('chain.jsonl'), 'utf8').trimEnd().split('\n');
    const whats = rows.slice(1, -1).map((row) => JSON.parse(row).entry.what);
    expect(whats.toSorted()).toEqual([
      'cause.added',
      'command.refused',
      'command.refused',
      'incident.closed',
      // The theft, and the wallet and the destination that were stopped beside it; and the pause.
      'incident.opened',
      'incident.opened',
      'incident.opened',
      'incident.opened',
      'policy.applied',
    ]);
    const script = join(import.meta.dirname, '..', '..', 'scripts', 'verify-audit.mjs');
    const out = execFileSync(process.execPath, [script, pathOf('chain.jsonl')], {
      encoding: 'utf8',
    });
    expect(out).toMatch(/^WHOLE: 9 links of breakwater, signed /);
    const jwks = { keys: [JSON.parse(rows.at(-1) ?? '').jwk] };
    writeFileSync(pathOf('jwks.json'), JSON.stringify(jwks));
    const verified = await ran('audit', 'verify', 'chain.jsonl', '--jwks', 'jwks.json');
    expect([verified.code, verified.out]).toEqual([0, expect.stringContaining('trusted key')]);
  });

  test('error: a broken export is told with its line', async () => {
    const text = readFileSync(pathOf('chain.jsonl'), 'utf8');
    writeFileSync(
      pathOf('broken.jsonl'),
      text.replace('garbage', 'garbagf').replace('"sequence":3}', '"sequence":4}'),
    );
    const { code, out } = await ran('audit', 'verify', 'broken.jsonl');
    expect([code, out]).toEqual([3, expect.stringMatching(/^BROKEN broken.jsonl at line 4: /)]);
    writeFileSync(pathOf('none.json'), '{}');
    expect((await ran('audit', 'verify', 'chain.jsonl', '--jwks', 'none.json')).code).toBe(2);
    writeFileSync(pathOf('empty.json'), '{"keys":[]}');
    expect((await ran('audit', 'verify', 'chain.jsonl', '--jwks', 'empty.json')).code).toBe(3);
    expect((await ran('audit', 'verify', 'not-there')).code).toBe(2);
    expect((await ran('audit', 'export', '--out', 'chain.jsonl')).code).toBe(2);
  });

  test('default: H87 rebuilt from the tables it is the stored chain', async () => {
    const { code, out } = await ran('audit', 'check');
    expect([code, out]).toEqual([0, expect.stringContaining('WHOLE: rebuilt')]);
  });

  test('behavior: the copies in the folder are the chain', () => {
    const folder = pathOf('state', 'audit');
    const files = readdirSync(folder).toSorted();
    const lines = files
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
      .filter((line) => !line.startsWith('{"count"'));
    const rows = readFileSync(pathOf('chain.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines).toEqual(rows.slice(1, -1));
  });
});

describe('incident --pack', () => {
  test('default: README.md first', async () => {
    const { code, out } = await ran('incident', leak.toLowerCase(), '--pack', 'pack');
    expect([code, out]).toEqual([0, expect.stringContaining('README.md first')]);
    expect(readdirSync(pathOf('pack')).toSorted()).toEqual([
      'README.md',
      'audit.jsonl',
      'evidence.json',
      'money.md',
      'policy.yaml',
      'post-mortem.md',
      'timeline.md',
    ]);
    const readme = readFileSync(pathOf('pack', 'README.md'), 'utf8');
    expect(readme).toContain('**STILL PAUSED**');
    expect(readme).toContain('2 outflows that nobody approved');
    expect(readme).toContain(`breakwater resume ${leak}`);
    const money = readFileSync(pathOf('pack', 'money.md'), 'utf8');
    expect(money).toContain('5 USDC');
    expect((await ran('audit', 'verify', 'pack/audit.jsonl')).code).toBe(0);
  });

  test('behavior: a resumed one, and what a person wrote is no markup', async () => {
    expect((await ran('incident', byLimit, '--pack', 'over')).code).toBe(0);
    const readme = readFileSync(pathOf('over', 'README.md'), 'utf8');
    expect(readme).toContain('resumed ');
    expect(readme).toContain('a \\[big\\](x) \\| customer');
    expect(readFileSync(pathOf('over', 'money.md'), 'utf8')).toContain(
      '| wallet-hour | notional | $1,200 | $1,000 |',
    );
    expect(readFileSync(pathOf('over', 'timeline.md'), 'utf8')).toContain('incident.closed');
  });

  test('error: a folder that holds anything, or no such incident', async () => {
    expect((await ran('incident', leak, '--pack', 'pack')).err).toContain('it is not empty');
    expect((await ran('incident', leak, '--pack', 'jwks.json')).code).toBe(2);
    expect((await ran('incident', 'NOSUCH00', '--pack', 'other')).code).toBe(3);
    expect(readdirSync(place.path)).not.toContain('other');
  });
});
