#!/usr/bin/env node
// Verifies an export of the audit chain with nothing but Node 18 or newer: no package, no file of this
// project. It is written apart from the product's own verifier, after docs/audit.md alone.
//
//   node verify-audit.mjs FILE [--jwks FILE]
//
// Exit codes: 0 whole, 1 broken (the line and why are printed), 2 not called rightly.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sha256 = (text) => createHash('sha256').update(text, 'utf8').digest();
const GENESIS = '0'.repeat(64);
const HEX = /^[0-9a-f]{64}$/;
const ENTRY_FIELDS = ['after', 'atMs', 'before', 'entryId', 'reason', 'what', 'who'];
const KEY_FIELDS = ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'];

class Broken extends Error {}

const insist = (condition, why) => {
  if (!condition) throw new Broken(why);
};

/** JSON with sorted keys and no blanks. */
function canonical(value) {
  if (value === null || typeof value !== 'object') {
    insist(typeof value !== 'number' || Number.isSafeInteger(value), 'a number is no safe integer');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const parts = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${parts.join(',')}}`;
}

/** Reads an object with exactly these fields from a text that must be its canonical one. */
function read(text, fields) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Broken('no JSON');
  }
  insist(isObject(value), 'no JSON object');
  insist(canonical(value) === text, 'not in canonical form');
  insist(Object.keys(value).join() === fields.join(), `the fields are not ${fields.join(', ')}`);
  return value;
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Bytes of base64url, which has one text only for them. */
function bytesOf(base64url) {
  const bytes = Buffer.from(base64url, 'base64url');
  insist(bytes.toString('base64url') === base64url, 'base64url that is not canonical');
  return bytes;
}

/** The lines as bytes, each of which ended with a line feed. */
function split(bytes) {
  const lines = [];
  let from = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] !== 0x0a) continue;
    lines.push(bytes.subarray(from, at));
    from = at + 1;
  }
  return { lines, rest: bytes.length - from };
}

function textOf(line) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    throw new Broken('no UTF-8');
  }
}

function checkLink(text, before) {
  const { entry, hash, previousHash, sequence } = read(text, [
    'entry',
    'hash',
    'previousHash',
    'sequence',
  ]);
  insist(sequence === before.sequence + 1, `says link ${sequence}, not ${before.sequence + 1}`);
  insist(isObject(entry), 'the entry is no object');
  const fields = Object.keys(entry).sort();
  const expected = 'scope' in entry ? [...ENTRY_FIELDS, 'scope'].sort() : ENTRY_FIELDS;
  insist(fields.join() === expected.join(), 'the entry has other fields');
  for (const field of fields) {
    const type = field === 'atMs' ? 'number' : 'string';
    insist(typeof entry[field] === type, `the entry's ${field} is no ${type}`);
  }
  insist(previousHash === before.hash, 'previousHash is not the hash of the link before');
  const own = sha256(canonical({ entry, previousHash, sequence })).toString('hex');
  insist(hash === own, `the hash is not that of the link's text, ${own}`);
  return { sequence, hash };
}

function checkClosing(text, head) {
  const { count, head: hash, jwk, jws } = read(text, ['count', 'head', 'jwk', 'jws']);
  insist(typeof hash === 'string' && HEX.test(hash), 'the head is no hash');
  insist(
    isObject(jwk) && Object.keys(jwk).join() === KEY_FIELDS.join(),
    'the key has other fields',
  );
  const { alg, crv, kid, kty, use, x, y } = jwk;
  insist(alg === 'ES256' && crv === 'P-256' && kty === 'EC' && use === 'sig', 'no key for ES256');
  insist(
    [kid, x, y].every((part) => typeof part === 'string'),
    'the key is not whole',
  );
  for (const part of [kid, x, y]) insist(bytesOf(part).length === 32, 'the key is not whole');
  const thumbprint = sha256(canonical({ crv, kty, x, y })).toString('base64url');
  insist(thumbprint === kid, 'the kid is not the thumbprint of the key');
  insist(typeof jws === 'string', 'no signature');
  const [header = '', payload = '', signature = '', ...more] = jws.split('.');
  insist(more.length === 0, 'no signature');
  const type = canonical({ alg: 'ES256', kid, typ: 'breakwater-audit+jwt' });
  insist(bytesOf(header).toString('utf8') === type, 'the signature has a wrong header');
  insist(
    isSigned(`${header}.${payload}`, bytesOf(signature), { kty, crv, x, y }),
    'the signature is not one of the key',
  );
  const claims = read(bytesOf(payload).toString('utf8'), ['hash', 'iat', 'iss', 'sequence']);
  insist(claims.sequence === count && claims.hash === hash, 'the signature is over another head');
  insist(
    count === head.sequence && hash === head.hash,
    `it signs link ${count}, the last one is ${head.sequence}, or has another hash`,
  );
  return { ...claims, kid };
}

function isSigned(input, signature, jwk) {
  if (signature.length !== 64) return false;
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return verify('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    return false;
  }
}

/**
 * Verifies an export.
 *
 * @param {Uint8Array} bytes the file
 * @param {readonly string[]} [trusted] thumbprints of the keys that may sign
 * @returns {{ whole: true, links: number, head: string, issuer: string, kid: string, signedAtS: number } | { whole: false, row: number, why: string }}
 */
export function verifyAudit(bytes, trusted) {
  let row = 1;
  try {
    const { lines, rest } = split(bytes);
    const texts = [];
    for (const line of lines) {
      row = texts.length + 1;
      texts.push(textOf(line));
    }
    row = texts.length + 1;
    insist(rest === 0 && texts.length > 0, 'does not end with a line feed');
    row = 1;
    const { breakwater, format, issuer } = read(texts[0], ['breakwater', 'format', 'issuer']);
    insist(breakwater === 'audit-chain' && format === 1, 'no audit chain of format 1');
    insist(typeof issuer === 'string', 'no issuer');
    let head = { sequence: 0, hash: GENESIS };
    for (row = 2; row < texts.length; row += 1) head = checkLink(texts[row - 1], head);
    insist(texts.length > 1, 'the closing line is missing');
    row = texts.length;
    const { iss, iat, kid } = checkClosing(texts[row - 1], head);
    insist(!trusted || trusted.includes(kid), `signed by ${kid}, which is no trusted key`);
    row = 1;
    insist(iss === issuer, `the issuer is ${issuer}, but ${iss} is signed`);
    return { whole: true, links: head.sequence, head: head.hash, issuer, kid, signedAtS: iat };
  } catch (error) {
    if (error instanceof Broken) return { whole: false, row, why: error.message };
    throw error;
  }
}

/** Thumbprints of the keys in a JWKS, computed from the keys themselves. */
export function trustedKeys(text) {
  const { keys } = JSON.parse(text);
  return keys.map(({ crv, kty, x, y }) =>
    sha256(canonical({ crv, kty, x, y })).toString('base64url'),
  );
}

function main(argv) {
  const at = argv.indexOf('--jwks');
  const jwks = at < 0 ? undefined : argv[at + 1];
  const files = argv.filter((_, position) => at < 0 || (position !== at && position !== at + 1));
  if (files.length !== 1 || (at >= 0 && jwks === undefined)) {
    console.error('usage: node verify-audit.mjs FILE [--jwks FILE]');
    return 2;
  }
  const trusted = jwks === undefined ? undefined : trustedKeys(readFileSync(jwks, 'utf8'));
  const result = verifyAudit(readFileSync(files[0]), trusted);
  if (!result.whole) {
    console.log(`BROKEN at line ${result.row}: ${result.why}`);
    return 1;
  }
  const when = new Date(result.signedAtS * 1000).toISOString();
  console.log(
    `WHOLE: ${result.links} links of ${result.issuer}, signed ${when} by key ${result.kid}`,
  );
  if (!trusted)
    console.log('The key is the one in the file: compare it with one you trust (--jwks).');
  return 0;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = main(process.argv.slice(2));
}
