export * from '../../../lib/client/withdrawal.ts';
