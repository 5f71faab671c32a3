import { parseEther } from 'viem';
import { describe, expect, test } from 'vitest';
import { connectNode } from '../../examples/withdrawal-service/ethereum.ts';
import { pay } from '../../examples/withdrawal-service/pay.ts';
import type { Event } from '../../examples/withdrawal-service/report.ts';
import type { Deps } from '../../examples/withdrawal-service/withdraw.ts';

const ADDRESS = `0x${'1'.repeat(40)}` as const;
const ORDER = { id: 'w-1', customer: 'alice', amount: parseEther('1'), destination: ADDRESS };
const ALLOWED = {
  verdict: 'allow',
  withdrawalId: 'w-1',
  admission: 'jws',
  expiresAt: '2026-01-01T00:00:30.000Z',
} as const;

/** Pays where the signer refuses for this reason; what was reported, after every sleep. */
async function refused(reason: string) {
  const reported: Event[] = [];
  const deps: Deps = {
    // Nothing listens there; nothing is sent, and the nonce is asked for before.
    node: { ...connectNode('http://127.0.0.1:1'), getTransactionCount: async () => 7 },
    signer: { address: ADDRESS, sign: async () => ({ ok: false, reason, text: reason }) },
    reserve: async () => ALLOWED,
    report: async (...events) => void reported.push(...events),
    inTurn: (work) => work(),
    sleep: async () => undefined,
    tell: () => undefined,
    askAgainMs: 1,
  };
  const outcome = await pay(deps, ORDER, ALLOWED);
  await new Promise(setImmediate);
  return { outcome, reported };
}

describe('pay', () => {
  test('default: what the signer refuses for good is said to be never signed', async () => {
    const { outcome, reported } = await refused('amount');
    expect(outcome.state).toBe('refused');
    expect(reported).toMatchObject([
      { 'detail-type': 'withdrawal.failed', detail: { evidence: { kind: 'never-signed' } } },
    ]);
  });

  test('H18: an admission that was used before was signed with: nothing is given back', async () => {
    const { outcome, reported } = await refused('reused');
    expect([outcome.state, reported]).toEqual(['unclear', []]);
  });
});
