import { describe, expect, test } from 'vitest';
import { parseRpcSettings } from '../../../lib/adapters/evm/rpc-settings.ts';

const endpoint = { name: 'one', url: 'https://rpc.example/v2/KEY' };
const nodes = { native: 'eip155:1/slip44:60', endpoints: [endpoint] };
const parse = (value: unknown) => parseRpcSettings(JSON.stringify(value));

describe('parseRpcSettings', () => {
  test('default: nodes by chain', () => {
    const all = { ...nodes, pending: true, startAt: 5 };
    expect(parse({ 'eip155:1': all })).toEqual(new Map([['eip155:1', all]]));
  });

  test.each(['http://127.0.0.1:8545', 'http://[::1]:8545', 'http://localhost:8545'])(
    'args: %s on this machine needs no encryption',
    (url) => {
      const endpoints = [{ ...endpoint, url, socket: url.replace('http', 'ws') }];
      expect(parse({ 'eip155:1': { ...nodes, endpoints } }).size).toBe(1);
    },
  );

  test.each([
    'http://rpc.example/KEY',
    'http://127.0.0.1.rpc.example/KEY',
    'http://localhost@rpc.example/KEY',
    'file:///KEY',
    'KEY',
  ])('error: %s is refused, and not repeated', (url) => {
    const refuse = () => parse({ 'eip155:1': { ...nodes, endpoints: [{ ...endpoint, url }] } });
    expect(refuse).toThrow('must be an https URL, or http on this machine');
    expect(refuse).not.toThrow('KEY');
  });

  test.each([
    ['no JSON', 'RPC settings: is not JSON'],
    [{}, 'no chain is named'],
    [{ 'solana:5': nodes }, 'must be an EVM chain'],
    [{ 'eip155:56': nodes }, 'eip155:56.native: must be an asset of eip155:56'],
    [{ 'eip155:1': { ...nodes, endpoints: [] } }, 'endpoints'],
    [{ 'eip155:1': { ...nodes, endpoints: [endpoint, endpoint] } }, 'names an endpoint twice'],
    [{ 'eip155:1': { ...nodes, endpoint } }, 'endpoint'],
    [{ 'eip155:1': { ...nodes, startAt: -1 } }, 'startAt'],
  ])('error: %j', (value, problem) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    expect(() => parseRpcSettings(text)).toThrow(problem);
  });
});
