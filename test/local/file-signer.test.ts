import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createFileSigner,
  createKeySigner,
  newSigningKey,
  UnfitKeyFileError,
} from '../../lib/local/file-signer.ts';
import type { AdmissionSigner } from '../../lib/ports.ts';
import { CLAIMS, NOW_MS } from '../client/tokens.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-signer-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const inFolder = () => createFileSigner({ folder, issuer: 'breakwater' });

async function verified(signer: AdmissionSigner, by: AdmissionSigner = signer) {
  const jwks = createLocalJWKSet((await by.jwks()) as JSONWebKeySet);
  const options = { algorithms: ['ES256'], currentDate: new Date(NOW_MS) };
  return jwtVerify(await signer.sign(CLAIMS), jwks, options);
}

describe('createFileSigner', () => {
  test('default: makes a key that only its owner can read', async () => {
    const signer = await inFolder();
    expect(signer.issuer).toBe('breakwater');
    const { payload, protectedHeader } = await verified(signer);
    expect(payload).toEqual(CLAIMS);
    const { keys } = await signer.jwks();
    expect(protectedHeader).toEqual({
      alg: 'ES256',
      kid: keys[0]?.kid,
      typ: 'breakwater-admission+jwt',
    });
    expect(Object.keys(keys[0] ?? {})).toEqual(['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use']);
    expect(await readdir(folder)).toEqual(['admission-key.pem']);
    expect((await stat(join(folder, 'admission-key.pem'))).mode & 0o777).toBe(0o600);
  });

  test('behavior: the same key after a restart, another in another folder', async () => {
    const [before, after] = [await inFolder(), await inFolder()];
    expect(await after.jwks()).toEqual(await before.jwks());
    await verified(before, after);
    const stranger = createKeySigner({ privateKey: newSigningKey(), issuer: 'breakwater' });
    await expect(verified(before, stranger)).rejects.toThrow();
  });

  test('behavior: what a crash left half-written is not taken for the key', async () => {
    await writeFile(join(folder, 'admission-key.pem.new'), '-----BEGIN PRIV', { mode: 0o644 });
    await verified(await inFolder());
    expect((await stat(join(folder, 'admission-key.pem'))).mode & 0o777).toBe(0o600);
  });

  test('error: a key that others can read', async () => {
    await inFolder();
    await chmod(join(folder, 'admission-key.pem'), 0o640);
    await expect(inFolder()).rejects.toThrow(UnfitKeyFileError);
    await expect(inFolder()).rejects.toThrow('can be read by others');
  });

  test.each([
    ['is no private key', 'nothing'],
    ['holds no key for ES256', pem('P-384')],
    ['holds no key for ES256', pem('secp256k1')],
  ])('error: a file that %s', async (why, text) => {
    await writeFile(join(folder, 'admission-key.pem'), text, { mode: 0o600 });
    await expect(inFolder()).rejects.toThrow(why);
  });
});

function pem(namedCurve: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

describe('createKeySigner', () => {
  test('default', async () => {
    const signer = createKeySigner({ privateKey: newSigningKey(), issuer: 'i' });
    expect((await verified(signer)).payload).toEqual(CLAIMS);
  });
});

describe('newSigningKey', () => {
  test('default: never the same', () => {
    const [one, other] = [newSigningKey(), newSigningKey()];
    expect(one.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(one.equals(other)).toBe(false);
  });
});
