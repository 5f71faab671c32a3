export * from '../../../lib/client/guard.ts';
