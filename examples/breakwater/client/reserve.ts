export * from '../../../lib/client/reserve-client.ts';
