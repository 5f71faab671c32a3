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

  test('behavior: the first key of the file signs, all are published, through a rotation', async () => {
    const path = join(folder, 'admission-key.pem');
    const [old, next] = [pem('P-256'), pem('P-256')];
    const steps = [old, old + next, next + old, next];
    const signers: AdmissionSigner[] = [];
    for (const text of steps) {
      await writeFile(path, text, { mode: 0o600 });
      signers.push(await inFolder());
    }
    const kids = await Promise.all(
      signers.map(async (signer) => (await signer.jwks()).keys.map(({ kid }) => kid)),
    );
    const [first, , , last] = kids as [unknown[], unknown[], unknown[], unknown[]];
    expect(kids).toEqual([first, [...first, ...last], [...last, ...first], last]);
    for (const [step, signer] of signers.entries()) {
      expect((await verified(signer)).protectedHeader.kid).toBe(kids[step]?.[0]);
    }
    // What the old key signed last is verified until it is taken out, what the new one signs from the first.
    await verified(signers[1]!, signers[2]);
    await verified(signers[2]!, signers[1]);
    await verified(signers[2]!, signers[3]);
    await expect(verified(signers[0]!, signers[3])).rejects.toThrow();
  });

  test('behavior: what openssl writes around a key, and a key given twice', async () => {
    const curve = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const sec1 = newSigningKey().export({ format: 'pem', type: 'sec1' }).toString();
    const text = curve + sec1 + sec1;
    await writeFile(join(folder, 'admission-key.pem'), text, { mode: 0o600 });
    const signer = await inFolder();
    expect((await signer.jwks()).keys).toHaveLength(1);
    await verified(signer);
  });

  test('error: a key that others can read', async () => {
    await inFolder();
    await chmod(join(folder, 'admission-key.pem'), 0o640);
    await expect(inFolder()).rejects.toThrow(UnfitKeyFileError);
    await expect(inFolder()).rejects.toThrow('can be read by others');
  });

  test.each([
    ['is no private key', 'nothing'],
    ['is no private key', ''],
    ['holds a key that is not for ES256', pem('P-384')],
    ['holds a key that is not for ES256', pem('P-256') + pem('secp256k1')],
    ['holds a private key that does not end', pem('P-256') + pem('P-256').slice(0, 90)],
    [
      'holds a private key that cannot be read',
      pem('P-256') + pem('P-256').replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
    ],
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
  test('args: alsoPublished', async () => {
    const [privateKey, other] = [newSigningKey(), newSigningKey()];
    const both = createKeySigner({ privateKey, alsoPublished: [other, privateKey], issuer: 'i' });
    const alone = createKeySigner({ privateKey: other, issuer: 'i' });
    const [published, [its]] = [(await both.jwks()).keys, (await alone.jwks()).keys];
    expect(published).toHaveLength(2);
    expect(published[1]).toEqual(its);
    await verified(alone, both);
    await expect(verified(both, alone)).rejects.toThrow();
  });

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
