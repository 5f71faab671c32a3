/** Signs admissions with a key in a file: the embedded runtime's stand-in for KMS. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CompactSign } from 'jose';
import { admissionHeader, type PublicJwk, toJwks, toPublicJwk } from '../adapters/admission-jws.ts';
import type { AdmissionSigner } from '../ports.ts';

/** The keys of a file: the first signs. */
export type Keys = readonly [KeyObject, ...(readonly KeyObject[])];

const FILE = 'admission-key.pem';
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** Private keys as PEM. Parameters of a curve, which some tools write before a key, are none. */
const KEY_BLOCK = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^-]*-----END \1-----/g;
const KEY_BEGIN = /-----BEGIN [A-Z ]*PRIVATE KEY-----/g;

/**
 * A signer over the keys of a folder: PEM blocks in one file, of which the first signs and all are
 * published. Where there is no file, it is made with one key. Only one process may work in the
 * folder; the file is read once, when the signer is made.
 * Fail direction: closed, a file that others can read, or of which a part cannot be read, signs
 * nothing.
 *
 * @throws {UnfitKeyFileError}
 */
export async function createFileSigner(parameters: {
  readonly folder: string;
  readonly issuer: string;
}): Promise<AdmissionSigner> {
  const [privateKey, ...alsoPublished] = await loadKeys(join(parameters.folder, FILE));
  return createKeySigner({ privateKey, alsoPublished, issuer: parameters.issuer });
}

/**
 * The keys of a file, the signing one first. Where there is none, it is made with one key.
 *
 * @throws {UnfitKeyFileError}
 */
export async function loadKeys(path: string): Promise<Keys> {
  return (await load(path)) ?? [await make(path)];
}

/** A signer over a private P-256 key in memory, which publishes the public parts of others with its own. */
export function createKeySigner(parameters: {
  readonly privateKey: KeyObject;
  readonly alsoPublished?: readonly KeyObject[];
  readonly issuer: string;
}): AdmissionSigner {
  const { privateKey, alsoPublished = [], issuer } = parameters;
  const signing = publicJwkOf(privateKey);
  return {
    issuer,
    sign: async (claims) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
        .setProtectedHeader(admissionHeader((await signing).kid))
        .sign(privateKey),
    jwks: async () => toJwks(await Promise.all([signing, ...alsoPublished.map(publicJwkOf)])),
  };
}

/** The public part of a key. */
export function publicJwkOf(privateKey: KeyObject): Promise<PublicJwk> {
  const { x = '', y = '' } = privateKey.export({ format: 'jwk' });
  return toPublicJwk({ x, y });
}

/** A fresh private key for ES256. */
export function newSigningKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

async function load(path: string): Promise<Keys | undefined> {
  const found = await stat(path).catch(ifAbsent);
  if (!found) return undefined;
  // Windows has no such bits; there the folder's own rights decide.
  if (process.platform !== 'win32' && (found.mode & OTHERS) !== 0) {
    throw new UnfitKeyFileError({ path, why: 'can be read by others' });
  }
  const text = await readFile(path, 'utf8');
  const [first, ...others] = (text.match(KEY_BLOCK) ?? []).map((pem) => parse(path, pem));
  if (!first) throw new UnfitKeyFileError({ path, why: 'is no private key' });
  if (text.match(KEY_BEGIN)?.length !== 1 + others.length) {
    throw new UnfitKeyFileError({ path, why: 'holds a private key that does not end' });
  }
  return [first, ...others];
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
  const key = readPem(path, pem);
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new UnfitKeyFileError({ path, why: 'holds a key that is not for ES256' });
}

function readPem(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new UnfitKeyFileError({ path, why: 'holds a private key that cannot be read', cause });
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
      `${details.path} ${details.why}; mend or remove it: without it a new key is made, and verifiers must read the new public key`,
      { cause: details.cause },
    );
  }
}
