import { encodeAbiParameters, encodeEventTopics, pad, parseAbi, toEventSelector } from 'viem';
import { describe, expect, test } from 'vitest';
import { mayHold } from '../../../lib/adapters/evm/bloom.ts';
import { decodeLog } from '../../../lib/adapters/evm/decode-log.ts';
import * as Topics from '../../../lib/adapters/evm/topics.ts';
import { watch } from '../../../lib/adapters/evm/watch.ts';
import type { Hex, RawLog } from '../../../lib/adapters/evm/wire.ts';

const WALLET: Hex = `0x${'1'.repeat(40)}`;
const OTHER: Hex = `0x${'2'.repeat(40)}`;
const TOKEN: Hex = `0x${'a'.repeat(40)}`;
const scope = watch({ native: 'eip155:1/slip44:60', accounts: [`eip155:1:${WALLET}`] });
const word = (value: bigint) => value.toString(16).padStart(64, '0');
const topic = (address: Hex) => pad(address, { size: 32 });

function log(topics: readonly Hex[], data: Hex = '0x', address: Hex = TOKEN): RawLog {
  const zero: Hex = `0x${'0'.repeat(64)}`;
  return {
    address,
    topics: [...topics],
    data,
    logIndex: 9,
    blockNumber: 1,
    blockHash: zero,
    transactionHash: zero,
  };
}

describe('decodeLog', () => {
  test('default: an ERC-20 transfer', () => {
    const data: Hex = `0x${word(2n ** 255n)}`;
    expect(decodeLog(scope, log([Topics.TRANSFER, topic(WALLET), topic(OTHER)], data), 4)).toEqual({
      kind: 'transfer',
      log: 4,
      standard: 'erc20',
      asset: `eip155:1/erc20:${TOKEN}`,
      from: `eip155:1:${WALLET}`,
      to: `eip155:1:${OTHER}`,
      amount: 2n ** 255n,
      tokenIds: [],
    });
  });

  test('behavior: a transfer to the wallet, and a log without topics, concern nobody', () => {
    const data: Hex = `0x${word(1n)}`;
    expect(decodeLog(scope, log([Topics.TRANSFER, topic(OTHER), topic(WALLET)], data), 0)).toBe(
      undefined,
    );
    expect(decodeLog(scope, log([]), 0)).toBeUndefined();
  });

  test('behavior: a token that indexes nothing', () => {
    const data: Hex = `0x${topic(WALLET).slice(2)}${topic(OTHER).slice(2)}${word(7n)}`;
    expect(decodeLog(scope, log([Topics.TRANSFER], data), 0)).toMatchObject({ amount: 7n });
  });

  test('behavior: H23 a batch of items, and one with lengths that lie', () => {
    const abi = parseAbi([
      'event TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)',
    ]);
    const topics = encodeEventTopics({
      abi,
      eventName: 'TransferBatch',
      args: { operator: OTHER, from: WALLET, to: OTHER },
    }) as Hex[];
    const items = [{ type: 'uint256[]' }, { type: 'uint256[]' }] as const;
    const data = encodeAbiParameters(items, [
      [1n, 2n],
      [5n, 6n],
    ]);
    expect(decodeLog(scope, log(topics, data), 0)).toMatchObject({
      amount: 11n,
      tokenIds: [1n, 2n],
    });
    const uneven = encodeAbiParameters(items, [[1n, 2n], [5n]]);
    expect(decodeLog(scope, log(topics, uneven), 0)).toMatchObject({ kind: 'malformed' });
    const endless: Hex = `0x${word(64n)}${word(64n)}${word(2n ** 60n)}`;
    expect(decodeLog(scope, log(topics, endless), 0)).toMatchObject({ kind: 'malformed' });
  });

  test('behavior: known signatures with other content are malformed', () => {
    const wallet = topic(WALLET);
    for (const one of [
      log([Topics.TRANSFER, wallet]),
      log([Topics.TRANSFER, wallet, topic(OTHER)], '0x01'),
      log([Topics.APPROVAL, wallet, topic(OTHER)]),
      log([Topics.APPROVAL_FOR_ALL, wallet]),
      log([Topics.TRANSFER_SINGLE, wallet, wallet, wallet], `0x${word(1n)}`),
      log([Topics.PERMIT2_PERMIT, wallet], '0x', Topics.PERMIT2),
    ]) {
      expect(decodeLog(scope, one, 0)).toMatchObject({ kind: 'malformed', log: 0 });
    }
  });

  test('behavior: H65 approvals: of an amount, of everything, taken back', () => {
    const topics = [topic(WALLET), topic(OTHER)];
    const data: Hex = `0x${word(1n)}`;
    const amountOf = (one: RawLog) => {
      const event = decodeLog(scope, one, 0);
      return event?.kind === 'approval' ? event.amount : undefined;
    };
    expect(amountOf(log([Topics.APPROVAL, ...topics], data))).toBe(1n);
    expect(amountOf(log([Topics.APPROVAL, ...topics, pad('0x7', { size: 32 })]))).toBe(1n);
    const nobody = pad('0x0', { size: 32 });
    expect(amountOf(log([Topics.APPROVAL, topic(WALLET), nobody, nobody]))).toBe(0n);
    expect(amountOf(log([Topics.APPROVAL_FOR_ALL, ...topics], data))).toBe('everything');
    expect(amountOf(log([Topics.APPROVAL_FOR_ALL, ...topics], `0x${word(0n)}`))).toBe(0n);
  });

  test('behavior: H65 Permit2 speaks for other tokens, and only Permit2 does', () => {
    const topics = [Topics.PERMIT2_APPROVAL, topic(WALLET), topic(TOKEN), topic(OTHER)];
    const data: Hex = `0x${word(8n)}${word(9n)}`;
    expect(decodeLog(scope, log(topics, data, Topics.PERMIT2), 0)).toMatchObject({
      kind: 'approval',
      asset: `eip155:1/erc20:${TOKEN}`,
      contract: `eip155:1:${Topics.PERMIT2}`,
      amount: 8n,
    });
    expect(decodeLog(scope, log(topics, data), 0)).toBeUndefined();
  });

  test('behavior: H65 control of a watched contract wallet, indexed or not, and of nobody else’s', () => {
    const added = toEventSelector('AddedOwner(address)');
    const expected = { change: 'owner-added', about: `eip155:1:${OTHER}` };
    expect(decodeLog(scope, log([added, topic(OTHER)], '0x', WALLET), 0)).toMatchObject(expected);
    expect(decodeLog(scope, log([added], topic(OTHER), WALLET), 0)).toMatchObject(expected);
    expect(decodeLog(scope, log([added, topic(OTHER)]), 0)).toBeUndefined();
  });
});

describe('TOPICS', () => {
  test.each([
    ['Transfer(address,address,uint256)', Topics.TRANSFER],
    ['Approval(address,address,uint256)', Topics.APPROVAL],
    ['ApprovalForAll(address,address,bool)', Topics.APPROVAL_FOR_ALL],
    ['TransferSingle(address,address,address,uint256,uint256)', Topics.TRANSFER_SINGLE],
    ['TransferBatch(address,address,address,uint256[],uint256[])', Topics.TRANSFER_BATCH],
    ['Approval(address,address,address,uint160,uint48)', Topics.PERMIT2_APPROVAL],
    ['Permit(address,address,address,uint160,uint48,uint48)', Topics.PERMIT2_PERMIT],
  ])('behavior: %s', (signature, expected) => {
    expect(toEventSelector(signature)).toBe(expected);
  });

  test.each([
    ['AddedOwner(address)', 'owner-added'],
    ['RemovedOwner(address)', 'owner-removed'],
    ['ChangedThreshold(uint256)', 'threshold-changed'],
    ['EnabledModule(address)', 'module-enabled'],
    ['DisabledModule(address)', 'module-disabled'],
    ['ChangedGuard(address)', 'guard-changed'],
    ['ChangedModuleGuard(address)', 'guard-changed'],
    ['ChangedFallbackHandler(address)', 'fallback-changed'],
    ['ChangedMasterCopy(address)', 'implementation-changed'],
    ['Upgraded(address)', 'implementation-changed'],
    ['BeaconUpgraded(address)', 'implementation-changed'],
    ['AdminChanged(address,address)', 'admin-changed'],
    ['OwnershipTransferred(address,address)', 'owner-transferred'],
  ])('behavior: %s', (signature, change) => {
    expect(Topics.CONTROL.get(toEventSelector(signature))?.change).toBe(change);
  });
});

describe('mayHold', () => {
  test('default', () => {
    const all: Hex = `0x${'f'.repeat(512)}`;
    expect(mayHold(all, TOKEN)).toBe(true);
    expect(mayHold(`0x${'0'.repeat(512)}`, TOKEN)).toBe(false);
  });

  test('args: a filter of another length says nothing', () => {
    expect(mayHold('0x', TOKEN)).toBe(false);
  });
});
