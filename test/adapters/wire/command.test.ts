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
  });
});
