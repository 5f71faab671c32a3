/** The operators' function URL, called with IAM: the one way to ask for what only operators decide. */

import {
  SignatureV4,
  type SignatureV4CryptoInit,
  type SignatureV4Init,
} from '@smithy/signature-v4';
import * as z from 'zod/mini';

/** How a request is signed: as any SDK client of the same role has it. */
export type Signing = Pick<
  SignatureV4Init & SignatureV4CryptoInit,
  'region' | 'credentials' | 'sha256'
>;

/** What can be asked for here. */
export type OperatorUrl = {
  /** Why the reset was refused, or nothing. @throws {OperatorUrlError} where there was no answer. */
  readonly resetDrill: (asked: {
    readonly incidentId: string;
    readonly commandId: string;
  }) => Promise<string | undefined>;
};

const ANSWER_MAX_MS = 25_000;
const ANSWER = z.object({ kind: z.string(), why: z.optional(z.string()) });

/** Makes it. Fail direction: closed, an answer that is not understood is no success. */
export function createOperatorUrl(url: string, signing: Signing): OperatorUrl {
  const { hostname, host, protocol, pathname } = new URL(url);
  const signer = new SignatureV4({ service: 'lambda', ...signing });
  return {
    resetDrill: async ({ incidentId, commandId }) => {
      const body = JSON.stringify({ command: 'drill.reset', incidentId, commandId });
      const request = { method: 'POST', protocol, hostname, path: pathname, body };
      const signed = await signer.sign({
        ...request,
        headers: { host, 'content-type': 'application/json' },
      });
      const { host: _, ...headers } = signed.headers;
      const signal = AbortSignal.timeout(ANSWER_MAX_MS);
      const response = await fetch(url, { method: 'POST', body, headers, signal });
      const answer = ANSWER.safeParse(await response.json().catch(() => undefined));
      if (answer.data?.kind === 'refused') return answer.data.why ?? 'no reason was given';
      if (response.status === 200 && answer.success) return undefined;
      throw new OperatorUrlError({ status: response.status });
    },
  };
}

/** The URL did not answer as it does. Whether anything was done is not known. */
export class OperatorUrlError extends Error {
  override readonly name = 'OperatorUrl.OperatorUrlError';
  constructor(details: { readonly status: number }) {
    super(`the operators' URL answered HTTP ${details.status}`);
  }
}
