/** Who signs, with which key. Keys live as long as the command, and reach no output. */

import type { Command } from 'commander';
import type { TypedData } from '../../domain/typed-data.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';
import type { PrivateKey } from './keystore.ts';

/** Options that name the key, or say that it is elsewhere. */
export type KeyOptions = {
  readonly keystore?: string;
  readonly passphraseFile?: string;
  readonly keyFromEnv?: string;
  /** Print what to sign; the key is elsewhere. */
  readonly typedData?: boolean;
};

/** Signs with one key. */
export type Signer = {
  /** Lower case. */
  readonly address: string;
  readonly sign: (typedData: TypedData) => Promise<string>;
};

/** Adds the options to a command. */
export function addKeyOptions(command: Command): Command {
  return command
    .option('--keystore <file>', 'sign with this encrypted JSON keystore; asks its passphrase')
    .option(
      '--passphrase-file <file>',
      'read the passphrase there (- is standard input, /dev/fd/3 a descriptor); else BREAKWATER_PASSPHRASE_FILE, else you are asked',
    )
    .option(
      '--key-from-env <name>',
      'sign with the private key in this environment variable; for trials only',
    )
    .option(
      '--typed-data',
      'print what to sign as JSON (EIP-712), for a hardware wallet or cast; sends nothing',
    );
}

/** Where the key is. */
export type Way =
  | { readonly kind: 'outside' }
  | { readonly kind: 'here'; readonly open: () => Promise<Signer> };

/**
 * Reads which key is meant; it is opened only when there is something to sign.
 *
 * @throws {StoppedError} `usage`: none is named, or several are.
 */
export function wayOf(session: Session, options: KeyOptions): Way {
  const { keystore, passphraseFile, keyFromEnv, typedData } = options;
  const named = [keystore, keyFromEnv, typedData].filter((one) => one !== undefined);
  if (named.length !== 1) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message:
        named.length === 0
          ? 'Say which key signs.'
          : 'Give one of --keystore, --key-from-env and --typed-data, so that it is clear which key signs.',
      hint: '--keystore FILE (encrypted), --typed-data (hardware wallet, cast), or --key-from-env NAME (trials only).',
    });
  }
  if (keystore !== undefined) {
    return { kind: 'here', open: () => fromKeystore(session, { file: keystore, passphraseFile }) };
  }
  if (keyFromEnv !== undefined) {
    return { kind: 'here', open: () => fromEnvironment(session, keyFromEnv) };
  }
  return { kind: 'outside' };
}

async function fromKeystore(
  session: Session,
  given: { readonly file: string; readonly passphraseFile?: string | undefined },
): Promise<Signer> {
  const { unlockKeystore } = await import('./keystore.ts');
  const { key, claimed } = await unlockKeystore(session, given);
  const signer = await signerOf(key);
  if (!signer) throw noKey(`The keystore ${given.file}`);
  if (claimed === undefined || claimed === signer.address) return signer;
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: `${clean(given.file)} names ${clean(claimed)}, and holds the key of ${signer.address}. Nothing was signed.`,
    hint: 'Find out which of the two is meant before signing with it.',
  });
}

async function fromEnvironment(session: Session, name: string): Promise<Signer> {
  const text = isName(name) ? session.io.env[name] : undefined;
  if (!text) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: isName(name)
        ? `The environment variable ${name} is not set.`
        : '--key-from-env: that is no name of an environment variable.',
      hint: 'It takes the name of a variable, never the key itself.',
    });
  }
  const key = text.trim().replace(/^(0x)?/i, '0x') as PrivateKey;
  const signer = /^0x[0-9a-fA-F]{64}$/.test(key) ? await signerOf(key) : undefined;
  if (!signer) throw noKey(`The environment variable ${name}`);
  session.warn(
    `WARNING: the key of ${signer.address} lies unencrypted in ${clean(name)}, where other programs can read it: for trials only.`,
  );
  return signer;
}

/** A key that was given by mistake must not be repeated. */
function isName(text: string): boolean {
  return /^[A-Za-z_]\w{0,63}$/.test(text) && !/^[0-9a-fA-F]{64}$/.test(text);
}

/** Loaded only here: most commands sign nothing. Nothing where the number is none of the curve's keys. */
async function signerOf(key: PrivateKey): Promise<Signer | undefined> {
  const { privateKeyToAccount } = await import('viem/accounts');
  const { asViem } = await import('../../adapters/typed-signature.ts');
  try {
    const account = privateKeyToAccount(key);
    return {
      address: account.address.toLowerCase(),
      sign: (typedData) => account.signTypedData(asViem(typedData)),
    };
  } catch {
    return undefined;
  }
}

function noKey(where: string): StoppedError {
  const message = `${clean(where)} holds no private key: 32 bytes as 64 hex digits.`;
  return new StoppedError({ exitCode: EXIT.usage, message });
}
