/** Starts `runtime-child.ts` and listens to what it tells. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What the child does. Without a folder its state is temporary. `stays`: until a signal, after the last event. */
export type Task = {
  readonly incident: 'coinex-2023' | 'ronin-2022' | 'stake-2023';
  readonly folder?: string;
  readonly stays?: boolean;
};

/** What the child tells. */
export type Told =
  | {
      readonly type: 'started';
      readonly url: string;
      /** Events that it will submit, and the position of the first theft among them. */
      readonly events: number;
      readonly theft: number;
    }
  /** What was in the ledger before the first event was submitted, once nothing waited any more. */
  | { readonly type: 'recovered'; readonly rowIds: readonly string[] }
  | { readonly type: 'kept'; readonly position: number; readonly rowId: string }
  | { readonly type: 'page'; readonly subject: string; readonly severity: string }
  | { readonly type: 'error'; readonly message: string; readonly fields: unknown }
  | { readonly type: 'done' };

/** A child under way. */
export type Child = {
  readonly process: ChildProcess;
  /** Everything that it told so far. */
  readonly told: readonly Told[];
  /** Everything of one type. */
  readonly of: <Type extends Told['type']>(
    type: Type,
  ) => readonly Extract<Told, { readonly type: Type }>[];
  /** Resolves when it has told this. Throws if it ends before. */
  readonly until: (wanted: (told: Told) => boolean) => Promise<void>;
  /** Resolves when it has ended and everything that it told was read: by which signal or code. */
  readonly ended: Promise<NodeJS.Signals | number | null>;
};

/** Starts a child in a working folder, which is its folder of temporary files too. */
export function spawnRuntime(task: Task, place: { readonly cwd: string }): Child {
  const { cwd } = place;
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./runtime-child.ts', import.meta.url)), JSON.stringify(task)],
    {
      cwd,
      env: { ...process.env, TMPDIR: cwd },
      // A group of its own, as a terminal gives to a command: Ctrl-C goes to all of it.
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const told: Told[] = [];
  const waiting = new Set<() => void>();
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    told.push(JSON.parse(line) as Told);
    for (const look of waiting) look();
  });
  const read = once(lines, 'close');
  const ended = once(child, 'exit').then(async ([code, signal]) => {
    await read;
    for (const look of waiting) look();
    return (signal ?? code) as NodeJS.Signals | number | null;
  });
  const isEnded = () => child.exitCode !== null || child.signalCode !== null;
  const until = (wanted: (one: Told) => boolean) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (told.some(wanted)) resolve();
        else if (isEnded()) reject(new Error(`it ended first: ${JSON.stringify(told.at(-1))}`));
        else return;
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  const of = <Type extends Told['type']>(type: Type) =>
    told.filter((one): one is Extract<Told, { type: Type }> => one.type === type);
  return { process: child, told, of, until, ended };
}
