import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { classify } from '../../../lib/adapters/dynamodb/failures.ts';

const $metadata = {};

function cancelled(...codes: string[]): TransactionCanceledException {
  const CancellationReasons = codes.map((Code) => ({ Code, Message: `why ${Code}` }));
  return new TransactionCanceledException({ message: 'cancelled', $metadata, CancellationReasons });
}

function named(name: string, more: object = {}): Error {
  return Object.assign(new Error('message'), { name, ...more });
}

describe('classify', () => {
  test('default: a lost condition, with what is stored', () => {
    const Item = { pk: { S: 'a' } };
    const error = new TransactionCanceledException({
      message: 'cancelled',
      $metadata,
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item }],
    });
    expect(classify(error)).toEqual({ kind: 'condition', stored: [Item] });
    const single = new ConditionalCheckFailedException({ message: 'no', $metadata });
    expect(classify(single)).toEqual({ kind: 'condition', stored: [] });
  });

  test.each([
    [cancelled('None', 'ConditionalCheckFailed', 'TransactionConflict'), 'condition'],
    [cancelled('ThrottlingError', 'ConditionalCheckFailed'), 'condition'],
    [cancelled('None', 'TransactionConflict'), 'contended'],
    [new TransactionConflictException({ message: 'x', $metadata }), 'contended'],
    [cancelled('TransactionConflict', 'ThrottlingError'), 'transient'],
    [cancelled('ProvisionedThroughputExceeded'), 'transient'],
    [cancelled(), 'transient'],
    [cancelled('ConditionalCheckFailed', 'ValidationError'), 'broken'],
    [cancelled('DuplicateItem'), 'broken'],
    [named('TransactionInProgressException'), 'transient'],
    [named('ThrottlingException'), 'transient'],
    [named('TimeoutError'), 'transient'],
    [named('Strange', { $metadata: { httpStatusCode: 502 } }), 'transient'],
    [named('Strange', { $metadata: { httpStatusCode: 429 } }), 'transient'],
    [named('Strange', { $metadata: { httpStatusCode: 400 } }), 'broken'],
    [named('Error', { code: 'ECONNREFUSED' }), 'transient'],
    [named('Error', { code: 'EAI_AGAIN' }), 'transient'],
    [named('TypeError', { code: 'ERR_INVALID_ARG_TYPE' }), 'broken'],
    [named('ConditionalCheckFailed'), 'broken'],
    [named('IdempotentParameterMismatchException'), 'broken'],
    ['a text', 'broken'],
    [undefined, 'broken'],
  ])('behavior: %s is %s (H18)', (error, kind) => {
    expect(classify(error).kind).toBe(kind);
  });

  test('behavior: an error of the network is named by its code', () => {
    expect(classify(named('Error', { code: 'ECONNREFUSED' }))).toEqual({
      kind: 'transient',
      reason: 'ECONNREFUSED',
    });
  });

  test('behavior: a refused cancellation says which reason', () => {
    expect(classify(cancelled('None', 'ValidationError'))).toEqual({
      kind: 'broken',
      reason: 'ValidationError',
      why: 'why ValidationError',
    });
  });
});
