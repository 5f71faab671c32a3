export * from '../../../lib/client/reserve-http.ts';
