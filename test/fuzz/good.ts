/** Good input of every kind, with as many of its fields as it can have: what is changed somewhere to become wrong. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { FIREBLOCKS_SETTINGS } from '../adapters/webhook/deliveries.ts';
import * as Build from '../support/builders.ts';

const AT = new Date(Build.T0_MS + Build.HOUR_MS).toISOString();
const evidence = { kind: 'nonce-spent', reference: '0xspent' };

/** The fields that every transfer has. */
export const TRANSFER = {
  wallet: Build.HOT_1,
  asset: Build.USDC,
  destination: Build.CUSTOMER,
  amount: '1000000',
};

const DETAILS = {
  'withdrawal.reported': {
    withdrawalId: 'w-1',
    ...TRANSFER,
    actor: 'customer-1',
    transaction: `0x${'a'.repeat(64)}`,
    nonce: 7,
    fee: { asset: Build.ETH, amount: '21000' },
  },
  'outflow.observed': {
    transaction: `0x${'b'.repeat(64)}`,
    place: 'log:7',
    withdrawalId: 'w-1',
    observedAt: AT,
    ...TRANSFER,
    fee: { asset: Build.ETH, amount: '21000' },
  },
  'batch.declared': {
    batchId: 'batch-1',
    wallet: Build.HOT_1,
    contract: Build.CUSTOMER,
    asset: Build.USDC,
    sum: '2000000',
    withdrawalIds: ['w-1', 'w-2'],
  },
  'balance.reported': { wallet: Build.HOT_1, asset: Build.USDC, amount: '5', at: AT },
  'withdrawal.settled': { withdrawalId: 'w-1' },
  'withdrawal.failed': { withdrawalId: 'w-1', evidence },
  'withdrawal.cancelled': { withdrawalId: 'w-1', evidence },
  'withdrawal.replaced': { withdrawalId: 'w-1', transaction: '0xnew', evidence },
  heartbeat: { sentAt: AT },
};

type Envelope = { readonly 'detail-type': string; readonly detail: object };

/** An envelope of each type. */
export const EVENTS = Object.fromEntries(
  Object.entries(DETAILS).map(([type, detail]) => [type, { 'detail-type': type, detail }]),
) as Record<keyof typeof DETAILS, Envelope>;

const signed = {
  proposalId: '01HF7YAT31JZHSMW',
  signature: `0x${'1'.repeat(128)}1b`,
  signed: {
    domain: { name: 'Breakwater', version: '1', salt: `0x${'ab'.repeat(32)}` },
    types: { Resume: [{ name: 'incidentId', type: 'string' }] },
    primaryType: 'Resume',
    message: { incidentId: '1HA4VYR80K2M3', epoch: 1 },
  },
};
const times = { notBefore: AT, expires: AT, expiresAt: AT };
const why = { commandId: 'command-1', reason: 'it is safe' };

const REQUESTS = {
  pause: { ...why, scope: 'wallet:hot-1', expiresAt: AT },
  resume: { ...why, incidentId: '1HA4VYR80K2M3', also: ['1HA4VYR80K2M4'], expiresAt: AT },
  'policy.apply': { ...why, source: 'version: 1' },
  'withdrawal.close': { withdrawalId: 'w-1', outcome: 'failed', reason: 'never signed' },
  'withdrawal.release': { withdrawalId: 'w-1', reason: 'looked at' },
  'withdrawal.show': { withdrawalId: 'w-1' },
  'movement.declare': {
    ...why,
    wallet: Build.HOT_1,
    asset: Build.USDC,
    destination: Build.CUSTOMER,
    max: '1000000',
    until: AT,
  },
  'resume.propose': {
    ...why,
    incidentId: '1HA4VYR80K2M3',
    mode: 'steps',
    rebase: [{ limitId: 'wallet-hour', scope: 'wallet:hot-1' }],
    also: ['1HA4VYR80K2M4'],
    ...times,
  },
  'policy.propose': { ...why, source: 'version: 1', ...times },
  'allowance.propose': {
    ...why,
    limitId: 'wallet-hour',
    scope: 'wallet:hot-1',
    extraBps: 100,
    until: AT,
    ...times,
  },
  'maintenance.propose': { ...why, scope: 'wallet:hot-1', ...times },
  'resume.approve': signed,
  'proposal.approve': signed,
  'proposal.veto': { ...signed, reason: 'not yet' },
  panic: {
    ...why,
    scope: 'wallet:hot-1',
    shareBps: 2_500,
    expires: AT,
    signature: signed.signature,
  },
  'proposal.show': { proposalId: signed.proposalId },
  'drill.reset': { commandId: 'command-1', incidentId: '1HA4VYR80K2M3' },
  limits: { scope: 'wallet:hot-1' },
  incident: { incidentId: '1HA4VYR80K2M3' },
  'audit.links': { from: 1 },
  flag: {
    wallet: 'hot-1',
    chain: Build.CHAIN,
    asset: Build.USDC,
    destination: Build.CUSTOMER,
    memo: 'tag',
    actor: 'customer-1',
  },
};

type Command = Readonly<Record<string, unknown>>;

/** A request of each kind that has fields. */
export const COMMANDS = Object.fromEntries(
  Object.entries(REQUESTS).map(([command, fields]): [string, Command] => [
    command,
    { command, ...fields },
  ]),
) as { [Name in keyof typeof REQUESTS]: Command };

/** Two withdrawals that ask for admission. */
export const RESERVATIONS = {
  audience: 'signer-1',
  withdrawals: [
    { withdrawalId: 'w-1', ...TRANSFER, actor: 'customer-1', nonce: 7 },
    { withdrawalId: 'w-2', ...TRANSFER, fee: { asset: Build.ETH, amount: '21000' } },
  ],
};

/** What became of some withdrawals. */
export const OUTCOMES = {
  outcomes: [
    EVENTS['withdrawal.settled'],
    EVENTS['withdrawal.failed'],
    EVENTS['withdrawal.replaced'],
  ],
};

/** Outflows as a reporter signs them: one transfer, one transaction of a UTXO chain. */
export const GENERIC = {
  outflows: [
    {
      kind: 'transfer',
      transaction: 'tx-1',
      place: 'log:0',
      wallet: 'stellar:pubnet:GHOT',
      asset: 'stellar:pubnet/slip44:148',
      destination: 'stellar:pubnet:GCUSTOMER',
      memo: '10442',
      amount: '10000000',
      fee: { asset: 'stellar:pubnet/slip44:148', amount: '100' },
      withdrawalId: 'w-1',
    },
    {
      kind: 'spend',
      transaction: 'c'.repeat(64),
      chain: 'bip122:000000000019d6689c085ae165831e93',
      asset: 'bip122:000000000019d6689c085ae165831e93/slip44:0',
      inputs: [{ address: 'bc1qhotwallet', amount: '1000' }],
      outputs: [
        { address: 'bc1qcustomer', amount: '600', withdrawalId: 'w-2' },
        { address: 'bc1qhotwallet', amount: '300' },
      ],
    },
  ],
};

/** A policy with a quorum and everything else that the example shows. */
export const POLICY: unknown = parse(
  readFileSync(join(import.meta.dirname, '../../examples/policies/quorum.yaml'), 'utf8'),
);

/** An answer of the flag. */
export const FLAG = {
  enabled: true,
  reason: 'enabled',
  text: 'yes',
  scope: 'wallet:hot-1',
  incidentId: '1HA4VYR80K2M3',
  sinceMs: 1,
  inForceUntilMs: Build.T0_MS,
};

/** An answer to a reservation. */
export const VERDICTS = {
  verdicts: [{ withdrawalId: 'w-1', verdict: 'allow', admission: 'a.b.c', expiresAt: AT }],
};

/** The nodes of a chain. */
export const RPC = {
  [Build.CHAIN]: {
    native: Build.ETH,
    endpoints: [
      { name: 'one', url: 'https://one.example/key', socket: 'wss://one.example/key' },
      { name: 'two', url: 'https://two.example/key' },
    ],
    pending: true,
    startAt: 1,
  },
  'eip155:10': {
    native: 'eip155:10/slip44:60',
    endpoints: [{ name: 'one', url: 'https://op.example/key' }],
  },
};

/** A provider of prices. */
export const PRICES = {
  url: 'https://prices.example/simple/price',
  headers: { 'x-key': 'secret' },
};

/** The secrets of the webhooks. */
export const ALCHEMY = {
  signingKeys: ['whsec_0123456789abcdef'],
  counted: { [Build.CHAIN]: { native: Build.ETH, rpcUrl: 'https://node.example/key' } },
};
export const FIREBLOCKS = FIREBLOCKS_SETTINGS;
export const REPORTER = { keys: ['a-key-of-at-least-thirty-two-characters'] };
