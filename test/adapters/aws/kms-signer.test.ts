import { generateKeyPairSync, sign } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  decodeProtectedHeader,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { MalformedSignatureError } from '../../../lib/adapters/aws/ecdsa-signature.ts';
import {
  createKmsSigner,
  UnavailableError,
  UnfitKeyError,
} from '../../../lib/adapters/aws/kms-signer.ts';
import { createAdmissionVerifier } from '../../../lib/client/admission.ts';
import type { AdmissionSigner } from '../../../lib/ports.ts';
import { CLAIMS, EXPECTED, NOW_MS } from '../../client/tokens.ts';
import { type Kms, startKms } from '../../support/kms.ts';

let kms: Kms | undefined;
let client: KMSClient | undefined;
afterEach(async () => {
  client?.destroy();
  await kms?.stop();
});

const NEXT_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/0b5a4c1e-0000-4000-8000-000000000002';

async function start(
  answers?: Parameters<typeof startKms>[0],
  alsoPublished: readonly string[] = [],
): Promise<{ readonly kms: Kms; readonly signer: AdmissionSigner }> {
  kms = await startKms(answers);
  client = new KMSClient({
    endpoint: kms.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const keys = { keyId: 'alias/admission', alsoPublished, issuer: 'breakwater' };
  return { kms, signer: createKmsSigner(client, keys) };
}

describe('createKmsSigner', () => {
  test('default: a JWS that jose verifies with the published key', async () => {
    const { signer } = await start();
    const jwks = (await signer.jwks()) as JSONWebKeySet;
    for (let round = 0; round < 20; round += 1) {
      const jti = `token-${round}`;
      const token = await signer.sign({ ...CLAIMS, jti });
      const options = { algorithms: ['ES256'], currentDate: new Date(NOW_MS) };
      const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), options);
      expect(payload).toEqual({ ...CLAIMS, jti });
    }
  });

  test('default: the verifier of the client takes it, once', async () => {
    const { signer } = await start();
    const verifier = createAdmissionVerifier({
      jwks: (await signer.jwks()) as JSONWebKeySet,
      audience: 'signer-1',
      issuer: signer.issuer,
      clock: { nowMs: () => NOW_MS },
    });
    const token = await signer.sign(CLAIMS);
    expect(await verifier.verify(token, EXPECTED)).toMatchObject({ ok: true });
    expect(await verifier.verify(token, EXPECTED)).toMatchObject({ reason: 'reused' });
  });

  test('behavior: the header and the published key', async () => {
    const { signer } = await start();
    const { keys } = await signer.jwks();
    const [key = {}] = keys;
    const { kty, crv, x, y } = key as Record<string, string>;
    const kid = await calculateJwkThumbprint({ kty: kty!, crv: crv!, x: x!, y: y! });
    expect(keys).toEqual([{ kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' }]);
    expect(decodeProtectedHeader(await signer.sign(CLAIMS))).toEqual({
      alg: 'ES256',
      kid,
      typ: 'breakwater-admission+jwt',
    });
  });

  test('behavior: the key is read once, and what signs is that key, wherever the alias points', async () => {
    const { kms, signer } = await start();
    await Promise.all([signer.sign(CLAIMS), signer.sign(CLAIMS), signer.jwks()]);
    expect(kms.asked.toSorted()).toEqual([
      'GetPublicKey alias/admission',
      `Sign ${kms.keyArn}`,
      `Sign ${kms.keyArn}`,
    ]);
  });

  test('behavior: other keys are published beside the one that signs, each with kid, alg and use', async () => {
    const { kms, signer } = await start({}, [NEXT_ARN]);
    const { keys } = await signer.jwks();
    expect(keys).toMatchObject([
      { alg: 'ES256', use: 'sig' },
      { alg: 'ES256', use: 'sig' },
    ]);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(2);
    expect(decodeProtectedHeader(await signer.sign(CLAIMS)).kid).toBe(keys[0]?.kid);
    const next = createKmsSigner(client!, {
      keyId: NEXT_ARN,
      alsoPublished: [kms.keyArn],
      issuer: 'breakwater',
    });
    expect(decodeProtectedHeader(await next.sign(CLAIMS)).kid).toBe(keys[1]?.kid);
    expect((await next.jwks()).keys).toEqual(keys.toReversed());
    expect(await signer.jwks()).toEqual({ keys });
    expect(kms.asked.filter((one) => one.startsWith('Sign'))).toEqual([
      `Sign ${kms.keyArn}`,
      `Sign ${NEXT_ARN}`,
    ]);
    expect(kms.asked.filter((one) => one.startsWith('GetPublicKey'))).toHaveLength(4);
  });

  test('behavior: a key that is named twice is published once', async () => {
    const { kms, signer } = await start({}, ['alias/admission', NEXT_ARN, NEXT_ARN]);
    expect((await signer.jwks()).keys).toHaveLength(2);
    expect(kms.asked).toHaveLength(4);
  });

  test('behavior: signing needs none of the other keys', async () => {
    const { kms, signer } = await start({}, [NEXT_ARN]);
    await signer.sign(CLAIMS);
    expect(kms.asked).toEqual(['GetPublicKey alias/admission', `Sign ${kms.keyArn}`]);
  });

  test('error: a set that cannot be read whole is not published, until it can', async () => {
    const { kms, signer } = await start({}, [NEXT_ARN]);
    await signer.sign(CLAIMS);
    kms.broken = { code: 'KMSInvalidStateException', status: 400 };
    await expect(signer.jwks()).rejects.toThrow(UnavailableError);
    kms.broken = undefined;
    expect((await signer.jwks()).keys).toHaveLength(2);
  });

  test('behavior: memos in any script', async () => {
    const { signer } = await start();
    const claims = { ...CLAIMS, memo: 'тег 標籤 🏦' };
    const jwks = createLocalJWKSet((await signer.jwks()) as JSONWebKeySet);
    const { payload } = await jwtVerify(await signer.sign(claims), jwks, {
      currentDate: new Date(NOW_MS),
    });
    expect(payload).toEqual(claims);
  });

  test('error: KMS is down, and the key is asked for again when it is back', async () => {
    const { kms, signer } = await start();
    kms.broken = { code: 'KMSInternalException', status: 500 };
    await expect(signer.sign(CLAIMS)).rejects.toThrow(UnavailableError);
    await expect(signer.jwks()).rejects.toThrow('KMS does not sign: KMSInternalException');
    kms.broken = undefined;
    expect((await signer.sign(CLAIMS)).split('.')).toHaveLength(3);
    kms.broken = { code: 'ThrottlingException', status: 400 };
    await expect(signer.sign(CLAIMS)).rejects.toThrow('ThrottlingException');
  });

  test.each<[string, Record<string, unknown>]>([
    ['of another curve', { KeySpec: 'ECC_NIST_P384' }],
    ['for Bitcoin', { KeySpec: 'ECC_SECG_P256K1' }],
    ['for encryption', { KeyUsage: 'ENCRYPT_DECRYPT' }],
    ['for key agreement', { KeyUsage: 'KEY_AGREEMENT' }],
    ['without a public part', { PublicKey: undefined }],
  ])('error: a key %s', async (_name, GetPublicKey) => {
    const { kms, signer } = await start({ GetPublicKey });
    await expect(signer.sign(CLAIMS)).rejects.toThrow(UnfitKeyError);
    expect(kms.asked).toEqual(['GetPublicKey alias/admission']);
  });

  test('error: a signature of another key, or over something else, reaches nobody', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const Signature = sign('sha256', Buffer.from('x'), privateKey).toString('base64');
    const { signer } = await start({ Sign: { Signature } });
    await expect(signer.sign(CLAIMS)).rejects.toThrow(UnavailableError);
    await expect(signer.sign(CLAIMS)).rejects.toThrow('is not one of the published key');
  });

  test('error: an answer without a signature, or with none of ECDSA', async () => {
    const { signer } = await start({ Sign: { Signature: undefined } });
    await expect(signer.sign(CLAIMS)).rejects.toThrow(UnavailableError);
    await kms?.stop();
    const raw = Buffer.alloc(64, 1).toString('base64');
    const other = await start({ Sign: { Signature: raw } });
    await expect(other.signer.sign(CLAIMS)).rejects.toThrow(MalformedSignatureError);
  });
});
