import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  InvalidCommandError,
  isChange,
  parseRequest,
  toCommand,
} from '../../../lib/adapters/wire/command.ts';

const pause = { command: 'pause', commandId: 'c-0000001', scope: 'global', reason: 'drill' };

const close = {
  command: 'withdrawal.close',
  withdrawalId: 'w-1',
  outcome: 'failed',
  reason: 'the signer was down',
};
const movement = {
  command: 'movement.declare',
  commandId: 'c-0000001',
  wallet: `eip155:1:0x${'1'.repeat(40)}`,
  asset: 'eip155:1/slip44:60',
  destination: `eip155:1:0x${'b'.repeat(40)}`,
  max: '1000000000000000000',
  until: '2026-01-31T18:00:00Z',
  reason: 'sweep',
};

function errorOf(request: unknown): string {
  try {
    parseRequest(JSON.stringify(request));
    return '';
  } catch (error) {
    if (error instanceof InvalidCommandError) return error.message;
    throw error;
  }
}

describe('parseRequest', () => {
  test('default', () => {
    expect(parseRequest(JSON.stringify(pause))).toEqual(pause);
    expect(parseRequest(JSON.stringify(close))).toEqual(close);
  });

  test.each([
    ['an unknown command', { command: 'destroy' }, 'command'],
    ['a missing reason', { ...pause, reason: undefined }, 'reason'],
    ['an empty reason', { ...pause, reason: '' }, 'reason'],
    ['a short command id', { ...pause, commandId: 'c' }, 'commandId'],
    ['a field that is not known', { ...pause, force: true }, 'force'],
    ['an outcome that gives nothing back', { ...close, outcome: 'settled' }, 'outcome'],
    ['a withdrawal without id', { ...close, withdrawalId: '' }, 'withdrawalId'],
    ['a withdrawal with a line break', { ...close, withdrawalId: 'a\nb' }, 'withdrawalId'],
    ['evidence that is not a word', { ...close, evidence: 'nonce-spent' }, 'evidence'],
    ['an incident id that is none', { command: 'incident', incidentId: '../x' }, 'incidentId'],
  ])('error: %s', (_name, request, field) => {
    expect(errorOf(request)).toContain(field);
  });

  test('args: movement.declare', () => {
    const upper = {
      ...movement,
      destination: movement.destination
        .toUpperCase()
        .replace('EIP155', 'eip155')
        .replace('0X', '0x'),
    };
    expect(parseRequest(JSON.stringify(upper))).toEqual(movement);
    const bitcoin = 'bip122:000000000019d6689c085ae165831e93';
    const tagged = {
      ...movement,
      wallet: `${bitcoin}:1BoatSLRHtKNngkdXEeobR76b53LETtpyT`,
      asset: `${bitcoin}/slip44:0`,
      destination: `${bitcoin}:1BoatSLRHtKNngkdXEeobR76b53LETtpyT`,
      memo: 'a|b',
    };
    expect(parseRequest(JSON.stringify(tagged))).toEqual(tagged);
  });

  test.each<[string, object, string]>([
    ['no end', { until: undefined }, 'until'],
    ['an end without a zone', { until: '2026-01-31T18:00:00' }, 'until'],
    ['an amount with a point', { max: '1.5' }, 'max'],
    ['a negative amount', { max: '-1' }, 'max'],
    ['a maximum above 2^256', { max: `${2n ** 256n}0` }, 'max'],
    ['a maximum of 2^256', { max: `${2n ** 256n}` }, 'max'],
    ['an address that is none', { destination: 'cold' }, 'destination'],
    [
      'a destination on another chain',
      { destination: `eip155:56:0x${'b'.repeat(40)}` },
      'destination: is on eip155:56, but the wallet is on eip155:1',
    ],
    ['an asset on another chain', { asset: 'eip155:56/slip44:60' }, 'asset: is on eip155:56'],
    ['a memo where there is none', { memo: 'x' }, 'memo: accounts on eip155 chains have no memo'],
    ['a memo with a line break', { memo: 'x\n' }, 'memo'],
    ['no reason', { reason: '' }, 'reason'],
  ])('error: a movement with %s', (_name, wrong, problem) => {
    expect(errorOf({ ...movement, ...wrong })).toContain(problem);
  });

  test.prop([fc.json()])('behavior: any JSON gives a request or a named problem', (text) => {
    try {
      parseRequest(text);
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidCommandError);
    }
  });
});

describe('isChange', () => {
  test('default', () => {
    expect(isChange(parseRequest(JSON.stringify(pause)))).toBe(true);
    expect(isChange(parseRequest('{"command":"status"}'))).toBe(false);
    expect(isChange(parseRequest(JSON.stringify(close)))).toBe(false);
  });
});

describe('toCommand', () => {
  test('default', () => {
    const hash = (text: string) => `hash of ${text}`;
    const apply = {
      command: 'policy.apply',
      commandId: 'c-0000002',
      source: 'version: 1',
    } as const;
    expect(toCommand(apply, hash)).toEqual({
      kind: 'apply-policy',
      commandId: 'c-0000002',
      source: 'version: 1',
      hash: 'hash of version: 1',
    });
    const request = parseRequest(JSON.stringify({ ...apply, reason: 'more customers' }));
    const command = isChange(request) && toCommand(request, hash);
    expect(command).toMatchObject({ kind: 'apply-policy', reason: 'more customers' });
  });
});
