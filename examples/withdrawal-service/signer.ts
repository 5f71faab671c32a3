/**
 * The only module that has the key; in production a process of its own, or an HSM. It trusts nobody,
 * least of all the service: a transfer is signed if the flag is on and Breakwater's admission is for
 * exactly what is about to be signed.
 */

import { createAdmissionVerifier } from 'breakwater/client/admission';
import { createFlagClient } from 'breakwater/client/flag';
import type { Address, Hex, LocalAccount } from 'viem';
import { foundry } from 'viem/chains';
import { accountId, ETH, FEES, type Transfer } from './ethereum.ts';

/** What is asked of the signer. In shadow mode there may be no admission. */
export type Request = {
  readonly withdrawalId: string;
  readonly admission: string | undefined;
  readonly transfer: Transfer;
};

/** A transaction to broadcast, or why there is none. */
export type Signed =
  | { readonly ok: true; readonly serialized: Hex }
  | { readonly ok: false; readonly reason: string; readonly text: string };

/** Signs, or does not. */
export type Signer = {
  readonly address: Address;
  readonly sign: (request: Request) => Promise<Signed>;
};

/** What a signer is made of. `shadow` is its own switch: nobody who asks can turn it. */
export type Options = {
  readonly account: LocalAccount;
  readonly breakwaterUrl: string;
  readonly shadow: boolean;
  readonly log: (line: string) => void;
};

/** Makes a signer. Fail direction: closed; in shadow mode open, telling what it would have refused. */
export function createSigner({ account, breakwaterUrl, shadow, log }: Options): Signer {
  const flag = createFlagClient({ url: `${breakwaterUrl}/flag`, shadow });
  const verifier = createAdmissionVerifier({
    jwksUrl: `${breakwaterUrl}/jwks`,
    audience: 'signer',
    issuer: 'breakwater',
  });
  const sign = async ({ withdrawalId, admission, transfer }: Request): Promise<Signed> => {
    const { to, value, nonce } = transfer;
    // What is expected comes from what will be signed, never from the admission.
    const money = { wallet: accountId(account.address), asset: ETH, destination: accountId(to) };

    const { enabled, wouldBe, text } = await flag.check(money);
    if (!enabled) return { ok: false, reason: 'flag', text };
    if (wouldBe === false) log(`signer, ${text}`);

    // Last, because it uses the admission up: each opens the signer once.
    const expected = { withdrawalId, ...money, amount: value };
    const result = await verifier.verify(admission ?? '', expected);
    if (!result.ok && !shadow) return result;
    if (!result.ok)
      log(`signer, shadow mode: signed; enforced it would be refused: ${result.text}`);

    // Field by field: nothing else that a request may hold, such as calldata, gets signed.
    const transaction = {
      type: 'eip1559',
      chainId: foundry.id,
      ...FEES,
      to,
      value,
      nonce,
    } as const;
    return { ok: true, serialized: await account.signTransaction(transaction) };
  };
  return { address: account.address, sign };
}
