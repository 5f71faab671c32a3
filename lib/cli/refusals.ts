/** What to do next about each refusal of a signature. The codes are explained in `docs/resuming.md`. */

import type { Code } from '../domain/ceremony-doubt.ts';

const AGAIN = 'Make a new proposal, and let the operators sign that one.';
const LOOK = 'Look at it: breakwater proposal status PROPOSAL.';

const NEXT: Readonly<Record<Code, string>> = {
  'unknown-proposal': 'List what there is: breakwater proposal status.',
  malformed:
    'Give the signature as the wallet printed it: 0x and 130 hex digits, of eth_signTypedData_v4.',
  malleable: 'Sign with a wallet that gives canonical signatures (s in the lower half, EIP-2).',
  'wrong-stack': 'Ask the stack that it was signed for (--stack, --url), or sign again here.',
  'wrong-message': 'Sign what it asks for now: breakwater proposal sign PROPOSAL.',
  'not-an-operator':
    'See whose key signed, and sign what it asks for in this round: breakwater proposal sign PROPOSAL.',
  'no-right': 'Somebody with the role resume has to sign; breakwater proposal status names them.',
  duplicate: `Another operator has to sign. ${LOOK}`,
  replayed: 'See what is the case now: breakwater status.',
  void: AGAIN,
  expired: AGAIN,
  'wrong-policy': `${AGAIN} Under the policy in force now its operators decide.`,
  'wrong-epoch': `See why it opened again: breakwater incident INCIDENT. ${AGAIN}`,
  'wrong-incident': 'See what holds it now: breakwater status.',
  'paused-it': 'Other operators have to sign it; breakwater proposal status names them.',
  'vetoed-it': 'Other operators have to sign it; breakwater proposal status names them.',
  'not-possible': `See what is the case: breakwater status. ${AGAIN}`,
};

/** The next step after a refusal; nothing for codes that this version does not know. */
export function nextAfter(code: string | undefined): string | undefined {
  return code !== undefined && Object.hasOwn(NEXT, code) ? NEXT[code as Code] : undefined;
}
