export * from '../../../lib/client/flag-reader.ts';
