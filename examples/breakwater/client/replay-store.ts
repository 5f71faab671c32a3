export * from '../../../lib/client/replay-store.ts';
