/** Three operators with keys that are made for this run, in encrypted keystores as a person has one. */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as Keystore from 'ox/Keystore';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

/** One operator: where the keystore and its passphrase lie. */
export type Operator = {
  readonly name: string;
  readonly address: string;
  readonly keystore: string;
  readonly passphraseFile: string;
};

/** What deriving a key costs; wallets take 262 144, and seconds. */
const COST = 8_192;

/** Makes one in a folder. The key is nowhere but in its keystore, and is gone with the folder. */
export async function makeOperator(folder: string, name: string): Promise<Operator> {
  const privateKey = generatePrivateKey();
  const passphrase = randomBytes(12).toString('base64url');
  const [key, options] = Keystore.scrypt({ password: passphrase, n: COST, r: 8, p: 1 });
  const keystore = join(folder, `${name}.json`);
  const passphraseFile = join(folder, `${name}.passphrase`);
  const content = JSON.stringify(Keystore.encrypt(privateKey, key, options));
  await writeFile(keystore, content, { mode: 0o600 });
  await writeFile(passphraseFile, passphrase, { mode: 0o600 });
  return { name, address: privateKeyToAccount(privateKey).address, keystore, passphraseFile };
}
