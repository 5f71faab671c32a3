/**
 * The callback handler of a Fireblocks API co-signer: it reserves before it lets sign.
 *
 * The co-signer posts a JWT (RS256, its own key) to `/v2/tx_sign_request` or
 * `/v2/config_change_sign_request` and expects one with `action`, `requestId` and `rejectionReason`,
 * signed with the handler's RSA key of 2048 bits, within 30 s:
 * https://developers.fireblocks.com/reference/cosigner-callbackhandler-secure-communication-authentication
 * (option 1) and https://developers.fireblocks.com/cosigners/callback-handler/response-object.
 */

import type { KeyObject } from 'node:crypto';
import type { ReserveClient, Verdict } from 'breakwater/client/reserve';
import { jwtVerify, SignJWT } from 'jose';
import { type Mapping, readRequest, toWithdrawal } from './transaction.ts';

/** What is answered. `REJECT` fails the transaction for good; after `RETRY` the co-signer asks again. */
export type Answer = {
  readonly action: 'APPROVE' | 'REJECT' | 'RETRY';
  /** One sentence for people; with a `REJECT` it goes into the workspace's audit log. */
  readonly why?: string;
};

/** One decision, for the log. */
export type Decision = Answer & { readonly requestId: string; readonly withdrawalId?: string };

/** What the handler is made of. */
export type Options = {
  readonly reserve: ReserveClient['reserve'];
  readonly mapping: Mapping;
  /** `cosigner print-public-key`. */
  readonly cosignerPublicKey: KeyObject;
  /** The half that the co-signer was given is its public one. */
  readonly callbackPrivateKey: KeyObject;
  /** The first days: every transaction is approved, and the log says what it would have been. */
  readonly shadow?: boolean | undefined;
  readonly onDecision: (decision: Decision) => void;
};

const BODY_LENGTH_MAX = 262_144;
const TRANSACTION = '/v2/tx_sign_request';
const CONFIGURATION = '/v2/config_change_sign_request';

/**
 * Makes the handler, for any server that speaks Fetch.
 * Fail direction: closed. A request that the co-signer did not sign gets 401 and no answer; only an
 * `allow` of Breakwater for exactly this transfer is an `APPROVE`.
 */
export function createCallback(options: Options): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname } = new URL(request.url);
    const isTransaction = pathname.endsWith(TRANSACTION);
    if (request.method !== 'POST' || !(isTransaction || pathname.endsWith(CONFIGURATION))) {
      return new Response(null, { status: 404 });
    }
    const claims = await verified(options, await request.text());
    if (!claims) return new Response(null, { status: 401 });
    const { requestId } = claims;
    if (typeof requestId !== 'string') return new Response(null, { status: 400 });
    const decision = isTransaction
      ? inShadow(options, await decide(options, claims))
      : reject('changes of the workspace are not for this handler to approve');
    options.onDecision({ requestId, ...decision });
    const { action, why: rejectionReason } = decision;
    const answer = { action, requestId, ...(action === 'REJECT' && { rejectionReason }) };
    const token = await new SignJWT(answer)
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .sign(options.callbackPrivateKey);
    return new Response(token, { headers: { 'content-type': 'text/plain' } });
  };
}

/** The claims, if the co-signer signed them; `exp` and `nbf` are checked where they are there. */
async function verified(
  options: Options,
  body: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (body.length > BODY_LENGTH_MAX) return undefined;
  try {
    const rules = { algorithms: ['RS256'] };
    return (await jwtVerify(body.trim(), options.cosignerPublicKey, rules)).payload;
  } catch {
    return undefined;
  }
}

/** Asked again with the same parameters, it reserves under the same id and gets the same answer. */
async function decide(
  options: Options,
  claims: Readonly<Record<string, unknown>>,
): Promise<Answer & { readonly withdrawalId?: string }> {
  const reading = readRequest(claims);
  if ('problem' in reading) return reject(reading.problem);
  const found = toWithdrawal(reading.request, options.mapping);
  if ('problem' in found) return reject(found.problem);
  const verdict = await options.reserve(found.withdrawal);
  return { ...toAnswer(verdict), withdrawalId: found.withdrawal.withdrawalId };
}

/**
 * `REJECT` cannot be taken back, so it is only for what Breakwater decided for good. A service that
 * cannot be reached, or that refuses this caller, is asked again.
 */
function toAnswer(verdict: Verdict): Answer {
  if (verdict.verdict === 'allow') {
    // The policy is in shadow mode.
    const { wouldBe, text = '' } = verdict;
    return { action: 'APPROVE', ...(wouldBe && { why: `would be ${wouldBe}: ${text}` }) };
  }
  const { reason, text, provisional } = verdict;
  const isFinal = verdict.verdict === 'block' && !provisional && reason !== 'unavailable';
  return { action: isFinal ? 'REJECT' : 'RETRY', why: `${reason}: ${text}` };
}

/** Fail direction: open, by intent, and only for what the co-signer signed. */
function inShadow<T extends Answer>({ shadow }: Options, decision: T): T {
  const { action, why = '' } = decision;
  if (!shadow || action === 'APPROVE') return decision;
  return { ...decision, action: 'APPROVE', why: `would be ${action}: ${why}` };
}

function reject(why: string): Answer {
  return { action: 'REJECT', why };
}
