export * from '../../../lib/client/openfeature.ts';
