/** Encrypted JSON keystores (Web3 secret storage, version 3), as geth, cast and many wallets write them. */

import * as Keystore from 'ox/Keystore';
import * as z from 'zod/mini';
import { EXIT, StoppedError } from '../exit-code.ts';
import { readInput } from '../read-input.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';
import { findPassphrase } from './passphrase.ts';

/** What a private key is, in hex. */
export type PrivateKey = `0x${string}`;

/** Times that a person may mistype the passphrase. */
const TRIES_MAX = 3;

const hex = z.string().check(z.regex(/^[0-9a-fA-F]*$/, 'must be hex digits without 0x'));
const positive = z.int().check(z.gte(1));
const common = {
  cipher: z.literal('aes-128-ctr'),
  ciphertext: hex.check(z.length(64)),
  cipherparams: z.object({ iv: hex.check(z.length(32)) }),
  mac: hex.check(z.length(64)),
};
const dklen = z.literal(32);
const KEYSTORE = z.object({
  version: z.literal(3),
  id: z._default(z.string(), ''),
  address: z.optional(z.string()),
  crypto: z.discriminatedUnion('kdf', [
    z.object({
      ...common,
      kdf: z.literal('scrypt'),
      kdfparams: z.object({ dklen, n: positive, p: positive, r: positive, salt: hex }),
    }),
    z.object({
      ...common,
      kdf: z.literal('pbkdf2'),
      kdfparams: z.object({ dklen, c: positive, prf: z.literal('hmac-sha256'), salt: hex }),
    }),
  ]),
});
type Parsed = z.output<typeof KEYSTORE>;

/** An unlocked keystore: its key, and the address that the file claims, where it claims one. */
export type Unlocked = { readonly key: PrivateKey; readonly claimed?: string | undefined };

/**
 * Unlocks a keystore file. Key and passphrase reach no message.
 *
 * @throws {StoppedError} `usage`: no such file, no keystore, or not its passphrase.
 */
export async function unlockKeystore(
  session: Pick<Session, 'io' | 'warn'>,
  given: { readonly file: string; readonly passphraseFile?: string | undefined },
): Promise<Unlocked> {
  const { file, passphraseFile } = given;
  const keystore = parse(await readInput(session.io, file), file);
  const found = await findPassphrase(session, { file: passphraseFile, keystore: file });
  const claimed = keystore.address?.replace(/^(0x)?/i, '0x').toLowerCase();
  const triesMax = found.kind === 'typed' ? TRIES_MAX : 1;
  for (let tries = 1; tries <= triesMax; tries += 1) {
    const password = found.kind === 'typed' ? await found.ask() : found.text;
    if (found.kind === 'typed' && password === '') break;
    const key = decrypt(keystore, { file, password });
    if (key) return { key, claimed };
    if (tries < triesMax) session.warn('That is not its passphrase; try again.');
  }
  throw usage(
    `${file}: the keystore was not unlocked: this is not its passphrase, or the file is damaged. Nothing was signed.`,
  );
}

/** The problems name fields, never values. */
function parse(text: string, file: string): Parsed {
  const reading = KEYSTORE.safeParse(lowerCaseKey(json(text, file)));
  if (reading.success) return reading.data;
  const problems = reading.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'keystore'}: ${message}`,
  );
  const hint =
    'It must be an encrypted JSON keystore, version 3, as `cast wallet import` or geth writes it.';
  throw usage(`${file} is no keystore: ${problems.join('; ')}.`, hint);
}

/** Some wallets wrote `Crypto`. */
function lowerCaseKey(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('Crypto' in value)) return value;
  const { Crypto: crypto, ...rest } = value;
  return { ...rest, crypto };
}

function json(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`${file} is no keystore: it is no JSON.`);
  }
}

/** Nothing where the passphrase is not the one; parameters that cannot be computed are an error. */
function decrypt(
  keystore: Parsed,
  { file, password }: { readonly file: string; readonly password: string },
): PrivateKey | undefined {
  let key: Keystore.Key;
  try {
    // Not toKeyAsync: it derives with parameters of its own (p of 8, r of 1) and fits no geth file.
    key = Keystore.toKey(keystore, { password });
  } catch (cause) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: `${clean(file)}: the parameters of its key derivation cannot be used (${keystore.crypto.kdf}).`,
      cause,
    });
  }
  try {
    return Keystore.decrypt(keystore, key);
  } catch {
    return undefined;
  }
}

function usage(message: string, hint?: string): StoppedError {
  return new StoppedError({ exitCode: EXIT.usage, message: clean(message), hint });
}
