import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { appendAudit, type Deps } from '../../lib/actions/append-audit.ts';
import { nodeTools } from '../../lib/adapters/audit-jws.ts';
import { createMemoryStore } from '../../lib/adapters/memory/store.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import * as Audit from '../../lib/domain/audit.ts';
import * as Export from '../../lib/domain/audit-export.ts';

import type { AuditStore, ControlRecord } from '../../lib/ports.ts';
import { AUDIT_ISSUER, entry, testAuditing } from '../support/audit.ts';
import { T0_MS } from '../support/builders.ts';
import { mulberry32 } from '../support/faults.ts';
import { CrashError, createTurns, shuffled } from '../support/interleave.ts';

type Made = { readonly deps: Deps; readonly parts: ReturnType<typeof testAuditing>['parts'] };

function make(): Made {
  const { audit } = createMemoryStore();
  const { auditing, parts } = testAuditing();
  const deps: Deps = {
    audit,
    ...auditing,
    clock: { nowMs: () => T0_MS },
    digest: nodeDigest,
    sleep: async () => undefined,
    random: () => 0.5,
  };
  return { deps, parts };
}

const record = (id: string): ControlRecord => ({ type: 'entry-added', entry: entry(id) });
const failing = async () => {
  throw new Error('not now');
};

/** The chain as a file, verified by itself. */
async function verified({ audit }: Deps): Promise<Export.Verdict> {
  const seal = await audit.seal();
  if (!seal) throw new Error('no head was signed');
  const links = await audit.links(1, 10_000);
  const text = Export.write({ issuer: AUDIT_ISSUER, links, seal });
  return Export.verify(Buffer.from(text), nodeTools);
}

async function idsOf({ audit }: Deps): Promise<readonly string[]> {
  return (await audit.links(1, 10_000)).map((link) => link.entry.entryId);
}

/** A store with a step before and after each of its calls. */
function stepping(audit: AuditStore, step: () => void | Promise<void>): AuditStore {
  const wrap = <T extends (...args: never[]) => Promise<unknown>>(call: T): T =>
    (async (...args: Parameters<T>) => {
      await step();
      const result = await call(...args);
      await step();
      return result;
    }) as T;
  return {
    ...audit,
    head: wrap(audit.head),
    appended: wrap(audit.appended),
    append: wrap(audit.append),
    defer: wrap(audit.defer),
    deferred: wrap(audit.deferred),
    undefer: wrap(audit.undefer),
    seal: wrap(audit.seal),
    putSeal: wrap(audit.putSeal),
    markCopied: wrap(audit.markCopied),
  };
}

describe('appendAudit', () => {
  test('default: appended in order, signed, copied', async () => {
    const { deps, parts } = make();
    expect(await appendAudit(deps, [record('a'), { type: 'ignored' }, record('b')])).toEqual([]);
    expect(await appendAudit(deps, [record('c')])).toEqual([]);
    expect(await idsOf(deps)).toEqual(['a', 'b', 'c']);
    expect(await verified(deps)).toMatchObject({ kind: 'whole', head: { sequence: 3 } });
    expect(parts.map(({ first, last }) => [first, last])).toEqual([
      [1, 2],
      [3, 3],
    ]);
    const lines = parts.flatMap(({ text }) => text.split('\n').slice(0, -2));
    expect(lines).toEqual((await deps.audit.links(1, 9)).map(Audit.toText));
  });

  test('behavior: nothing to tell touches nothing', async () => {
    const { deps } = make();
    const dead = { ...deps, audit: stepping(deps.audit, failing) };
    expect(await appendAudit(dead, [{ type: 'ignored' }])).toEqual([]);
  });

  test('behavior: delivered again, twice in a batch, or in other batches, once in the chain', async () => {
    const { deps } = make();
    const all = ['a', 'b', 'a', 'c'].map(record);
    for (const batch of [all, all, all.slice(1), all.slice(3)]) await appendAudit(deps, batch);
    expect(await idsOf(deps)).toEqual(['a', 'b', 'c']);
  });

  test('behavior: more than one append takes', async () => {
    const { deps, parts } = make();
    const ids = Array.from({ length: 130 }, (_, at) => `e${at}`);
    await appendAudit(deps, ids.map(record));
    expect(await idsOf(deps)).toEqual(ids);
    expect(parts.length).toBe(1);
    expect(await verified(deps)).toMatchObject({ kind: 'whole' });
  });

  test.prop([fc.integer(), fc.integer({ min: 2, max: 5 })], { numRuns: 60 })(
    'behavior: several at once, in batches of their own: every entry once, the chain unbroken',
    async (seed, workers) => {
      const { deps } = make();
      const random = mulberry32(seed);
      const turns = createTurns(random);
      const ids = Array.from({ length: 12 }, (_, at) => `e${at}`);
      const audit = stepping(deps.audit, turns.turn);
      const run = async () => {
        const order = shuffled(ids, random);
        while (order.length > 0) {
          const batch = order.splice(0, 1 + Math.floor(random() * 5));
          await appendAudit({ ...deps, audit }, batch.map(record));
        }
      };
      await turns.run(Array.from({ length: workers }, () => run));
      await appendAudit(deps, [record(ids[0] ?? '')]);
      expect((await idsOf(deps)).toSorted()).toEqual(ids.toSorted());
      expect(await verified(deps)).toMatchObject({ kind: 'whole', head: { sequence: 12 } });
      expect(await deps.audit.deferred(10)).toEqual([]);
    },
  );

  test('behavior: a crash between any two steps, and delivery again: every entry once', async () => {
    for (let dies = 1; ; dies += 1) {
      const { deps, parts } = make();
      await deps.audit.defer([entry('kept')]);
      let step = 0;
      const audit = stepping(deps.audit, () => {
        step += 1;
        // A process that died does nothing more.
        if (step >= dies) throw new CrashError('the process died');
      });
      await appendAudit({ ...deps, audit }, ['a', 'b'].map(record)).catch(() => undefined);
      const isOver = step < dies;
      expect(await appendAudit(deps, ['a', 'b'].map(record))).toEqual([]);
      expect((await idsOf(deps)).toSorted()).toEqual(['a', 'b', 'kept']);
      expect(await verified(deps)).toMatchObject({ kind: 'whole', head: { sequence: 3 } });
      expect(await deps.audit.deferred(10)).toEqual([]);
      expect(parts.at(-1)?.last).toBe(3);
      if (isOver) break;
    }
  });

  test('behavior: what cannot be appended is kept, and appended with the next', async () => {
    const { deps } = make();
    const broken = { ...deps, audit: { ...deps.audit, append: failing } };
    const problems = await appendAudit(broken, [record('a')]);
    expect(problems.map(({ message }) => message)).toEqual(['not now', 'not now']);
    expect(await idsOf(deps)).toEqual([]);
    expect(await appendAudit(deps, [record('b')])).toEqual([]);
    expect(await idsOf(deps)).toEqual(['b', 'a']);
    expect(await deps.audit.deferred(10)).toEqual([]);
  });

  test('error: what can be neither appended nor kept throws, so that it comes again', async () => {
    const { deps } = make();
    const dead = { ...deps, audit: { ...deps.audit, append: failing, defer: failing } };
    await expect(appendAudit(dead, [record('a')])).rejects.toThrow('not now');
  });

  test('behavior: a signer or a copy that fails holds up no append, and is made up for', async () => {
    const { deps, parts } = make();
    const mute = { ...deps, signer: { ...deps.signer, seal: failing } };
    expect((await appendAudit(mute, [record('a')])).length).toBe(1);
    const stuck = { ...deps, copy: { put: failing } };
    expect((await appendAudit(stuck, [record('b')])).length).toBe(1);
    expect(await idsOf(deps)).toEqual(['a', 'b']);
    expect(parts).toEqual([]);
    expect(await appendAudit(deps, [record('c')])).toEqual([]);
    expect(parts.map(({ first, last }) => [first, last])).toEqual([[1, 3]]);
  });

  test('behavior: a long way behind, the copy follows in parts', async () => {
    const { deps, parts } = make();
    const stuck = { ...deps, copy: { put: failing } };
    await appendAudit(
      stuck,
      Array.from({ length: 600 }, (_, at) => record(`e${at}`)),
    );
    await appendAudit(deps, [record('one more')]);
    expect(parts.map(({ first, last }) => [first, last])).toEqual([
      [1, 500],
      [501, 601],
    ]);
    const ends = parts.map(({ text }) => text.includes('"count":'));
    expect(ends).toEqual([false, true]);
  });

  test('error: losing every attempt keeps the entries', async () => {
    const { deps } = make();
    const losing = { ...deps, audit: { ...deps.audit, append: async () => 'conflict' as const } };
    const problems = await appendAudit(losing, [record('a')]);
    expect(problems[0]?.name).toBe('AppendAudit.ContendedError');
    expect(await deps.audit.deferred(10)).toEqual([entry('a')]);
  });

  test('error: a stored chain with a gap is told and not copied', async () => {
    const { deps, parts } = make();
    const links: AuditStore['links'] = async () => [];
    const problems = await appendAudit({ ...deps, audit: { ...deps.audit, links } }, [record('a')]);
    expect(problems.map(({ name }) => name)).toEqual(['AppendAudit.GapError']);
    expect(parts).toEqual([]);
  });
});
