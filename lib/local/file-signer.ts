/** Signs admissions with a key in a file: the embedded runtime's stand-in for KMS. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CompactSign } from 'jose';
import { admissionHeader, toPublicJwk } from '../adapters/admission-jws.ts';
import type { AdmissionSigner } from '../ports.ts';

const FILE = 'admission-key.pem';
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * A signer over the key of a folder, which is made where there is none. Only one process may work
 * in the folder.
 * Fail direction: closed, a key that others can read, or that cannot be read, signs nothing.
 *
 * @throws {UnfitKeyFileError}
 */
export async function createFileSigner(parameters: {
  readonly folder: string;
  readonly issuer: string;
}): Promise<AdmissionSigner> {
  const path = join(parameters.folder, FILE);
  const privateKey = (await load(path)) ?? (await make(path));
  return createKeySigner({ privateKey, issuer: parameters.issuer });
}

/** A signer over a private P-256 key in memory. */
export function createKeySigner(parameters: {
  readonly privateKey: KeyObject;
  readonly issuer: string;
}): AdmissionSigner {
  const { privateKey, issuer } = parameters;
  const { x = '', y = '' } = privateKey.export({ format: 'jwk' });
  const jwk = toPublicJwk({ x, y });
  return {
    issuer,
    sign: async (claims) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
        .setProtectedHeader(admissionHeader((await jwk).kid))
        .sign(privateKey),
    jwks: async () => ({ keys: [await jwk] }),
  };
}

/** A fresh private key for ES256. */
export function newSigningKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

async function load(path: string): Promise<KeyObject | undefined> {
  const found = await stat(path).catch(ifAbsent);
  if (!found) return undefined;
  // Windows has no such bits; there the folder's own rights decide.
  if (process.platform !== 'win32' && (found.mode & OTHERS) !== 0) {
    throw new UnfitKeyFileError({ path, why: 'can be read by others' });
  }
  const key = parse(path, await readFile(path, 'utf8'));
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new UnfitKeyFileError({ path, why: 'holds no key for ES256' });
}

/** Under another name first: what a crash leaves half-written is never taken for the key. */
async function make(path: string): Promise<KeyObject> {
  const key = newSigningKey();
  const draft = `${path}.new`;
  const file = await open(draft, 'w', OWNER_ONLY);
  try {
    await file.chmod(OWNER_ONLY);
    await file.writeFile(key.export({ format: 'pem', type: 'pkcs8' }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  return key;
}

function parse(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new UnfitKeyFileError({ path, why: 'is no private key', cause });
  }
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** The file with the key is not usable as it is. */
export class UnfitKeyFileError extends Error {
  override readonly name = 'FileSigner.UnfitKeyFileError';
  constructor(details: { readonly path: string; readonly why: string; readonly cause?: unknown }) {
    super(
      `${details.path} ${details.why}; remove it, and a new key is made: verifiers must read the new public key`,
      { cause: details.cause },
    );
  }
}
