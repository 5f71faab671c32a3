export * from '../../../lib/client/flag-client.ts';
