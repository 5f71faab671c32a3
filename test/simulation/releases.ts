/**
 * Two versions of the code over one store, as a deployment has them: the newer one writes a form that
 * the older one does not know, and refuses (`docs/operations.md`, "Upgrade"). Everything else is the same.
 */

import { UnreadableError } from '../../lib/adapters/store-errors.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type { Store } from '../../lib/ports.ts';

/** Which of the two a process runs. */
export type Release = 'older' | 'newer';

/** What the text of a newer policy is to the older version. */
const UNKNOWN = 'newer';

/** What the newer version has written last. */
export type Written = Set<string>;

/** The store as a process of one version reads and writes it. */
export function asReadBy(store: Store, release: Release, written: Written): Store {
  const { decisions, policies } = store;
  const refuse = (names: readonly string[]): void => {
    const what = release === 'older' ? names.find((name) => written.has(name)) : undefined;
    if (what !== undefined) throw new UnreadableError({ what, why: 'its form is a newer one' });
  };
  return {
    ...store,
    decisions: {
      load: async (keys) => {
        const loaded = await decisions.load(keys);
        refuse([...loaded.rows.keys(), ...loaded.items.keys()]);
        return loaded;
      },
      commit: async (changes) => {
        const result = await decisions.commit(changes);
        if (result === 'committed') {
          for (const name of namesOf(changes)) {
            if (release === 'newer') written.add(name);
            else written.delete(name);
          }
        }
        return result;
      },
    },
    policies: {
      load: async (version) => {
        const stored = await policies.load(version);
        const isNew = release === 'older' && written.has(`policy:${version}`);
        return stored && isNew ? { ...stored, source: UNKNOWN, compiled: UNKNOWN } : stored;
      },
    },
  };
}

function namesOf({ rows, items, policy }: Ledger.Changes): readonly string[] {
  const names = [...rows.map(({ row }) => row.rowId), ...items.map(({ key }) => key)];
  return policy ? [...names, `policy:${policy.version}`] : names;
}
