import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nodeIo } from '../../lib/cli/io.ts';
import { openSession } from '../../lib/cli/session.ts';
import { type Mined, playTheft, type Refused, type Trip } from '../../lib/cli/story/chain/play.ts';
import { withChain } from '../../lib/cli/story/chain/stage.ts';
import { showChainTheft } from '../../lib/cli/story/chain-theft.ts';
import { findAnvil } from '../../lib/local/chain-node.ts';

const BREAKWATER = join(import.meta.dirname, '../../bin/breakwater.ts');
const ACT_MAX_MS = 60_000;
/** Longer than shown to people: the trip has to come before the next block on a busy machine, too. */
const BLOCK_TIME_S = 2;
const LOOKS_MAX = 200;

if (!findAnvil()) console.log('anvil is not installed: the theft on a chain is not tested');

let folder = '';
const before = process.cwd();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-theft-'));
  vi.stubEnv('TMPDIR', folder);
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Processes with this test's folder in their command line or in their environment. */
function processesHere(): readonly string[] {
  const read = (pid: string, name: string) => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => `${read(pid, 'cmdline')}${read(pid, 'environ')}`.includes(folder));
}

/** What is there once no more of it goes: what watches a process ends just after it. */
async function left(): Promise<{ readonly processes: number; readonly files: readonly string[] }> {
  for (let look = 0; look < LOOKS_MAX && processesHere().length > 0; look += 1) await sleep(10);
  const files = readdirSync(folder).filter((name) => name !== '.breakwater');
  return { processes: processesHere().length, files };
}

function startDemo() {
  const env = { ...process.env, TMPDIR: folder, NO_COLOR: '1' };
  const child = spawn(process.execPath, [BREAKWATER, 'demo'], { cwd: folder, env });
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  const ended = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)));
  const untilSaid = async (words: string) => {
    while (!text.includes(words) && child.exitCode === null) await sleep(20);
  };
  return { child, ended, untilSaid, text: () => text };
}

describe.skipIf(!findAnvil())('playTheft', () => {
  test(
    'default: what was approved passes, the first theft trips before the second, nothing is left',
    async () => {
      const told: string[] = [];
      const approved: Mined[] = [];
      const stolen: Mined[] = [];
      const trips: Trip[] = [];
      const refused: Refused[] = [];
      const note = <T>(name: string, into: T[]) => {
        return (...each: T[]) => {
          told.push(name);
          into.push(...each);
        };
      };
      const telling = {
        approved: (mined: readonly Mined[]) => note('approved', approved)(...mined),
        stolen: note('stolen', stolen),
        tripped: note('tripped', trips),
        refused: note('refused', refused),
      };
      const { signal } = new AbortController();
      const decided = await withChain(
        async (stage) => {
          // So that an empty list below means something: the engine and the node with their watches.
          expect(processesHere().length).toBeGreaterThanOrEqual(2);
          await playTheft({ stage, telling, signal });
          return stage.decided();
        },
        { blockTimeS: BLOCK_TIME_S },
      );

      const further = ['stolen', 'stolen', 'stolen'];
      expect(told).toEqual(['approved', 'stolen', 'tripped', ...further, 'refused']);
      expect(approved.map(({ payment }) => payment.symbol)).toEqual(['ETH', 'DAI']);
      expect(decided.slice(0, 3)).toEqual([
        'matched-outflow',
        'matched-outflow',
        'unmatched-outflow',
      ]);
      const [first, second] = stolen;
      const [trip] = trips;
      expect(first?.payment).toMatchObject({ symbol: 'ETH', whole: 4_947n });
      expect(trip).toMatchObject({
        block: first?.block,
        blocksAfter: 0n,
        incident: { scope: 'key-domain:coinex-hot', first: { kind: 'unmatched' } },
      });
      expect(trip?.incident.first.text).toContain('4,947 ETH from hot-1');
      expect(trip?.toFlagMs).toBeLessThan((second?.atMs ?? 0) - (first?.atMs ?? 0));
      expect(second?.block).toBeGreaterThan(first?.block ?? 0n);
      expect(refused[0]?.text).toBe(
        `key-domain:coinex-hot is tripped, incident ${trip?.incident.incidentId}`,
      );
      expect(await left()).toEqual({ processes: 0, files: [] });
    },
    ACT_MAX_MS,
  );
});

describe('showChainTheft', () => {
  test.skipIf(!findAnvil())(
    'default: Ctrl-C in the middle of it ends the demo by that signal, and nothing is left',
    async () => {
      const { child, ended, untilSaid, text } = startDemo();
      await untilSaid('TRIPPED');
      expect(text()).toContain('APPROVED, seen, matched');
      child.kill('SIGINT');
      expect(await ended).toBe('SIGINT');
      expect(text()).not.toContain('Ordinary traffic');
      expect(existsSync(join(folder, '.breakwater', 'runtime.json'))).toBe(false);
      expect(await left()).toEqual({ processes: 0, files: [] });
    },
    ACT_MAX_MS,
  );

  test.skipIf(!findAnvil())(
    'behavior: a demo that is killed leaves no process',
    async () => {
      const { child, ended, untilSaid } = startDemo();
      await untilSaid('APPROVED');
      child.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      expect(await left()).toMatchObject({ processes: 0 });
    },
    ACT_MAX_MS,
  );

  test('behavior: where it is left out, a sentence says why; nothing with --json', async () => {
    const written: string[] = [];
    const stdout = { write: (text: string) => written.push(text), isTerminal: false, columns: 80 };
    const env = { DYNAMODB_ENDPOINT: 'http://127.0.0.1:1' };
    const io = { ...nodeIo(), stdout, env };
    await showChainTheft(openSession(io, { json: true }));
    expect(written).toEqual([]);
    await showChainTheft(openSession(io, {}));
    expect(written.join('')).toMatch(/^The theft on a real chain is left out: .+\.\n\n$/);
  });
});
