import { createDynamoStore } from '../../../lib/adapters/dynamodb/store.ts';
import { storeContract } from '../../contract/store-contract.ts';
import { startTestEngine, wallClock } from './engine.ts';

let engine: Awaited<ReturnType<typeof startTestEngine>>;

storeContract('createDynamoStore', {
  start: async () => {
    engine = await startTestEngine();
  },
  stop: () => engine.stop(),
  open: async () => {
    const { client, names, records } = await engine.tables();
    return { store: createDynamoStore({ client, tables: names, wallClock }), records };
  },
});
