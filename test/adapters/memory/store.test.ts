import { createMemoryStore } from '../../../lib/adapters/memory/store.ts';
import type { ControlRecord } from '../../../lib/ports.ts';
import { storeContract } from '../../contract/store-contract.ts';

storeContract('createMemoryStore', {
  start: async () => {},
  stop: async () => {},
  open: async () => {
    const records: ControlRecord[] = [];
    const store = createMemoryStore({ onControlChange: (record) => records.push(record) });
    return { store, records: async () => records };
  },
});
