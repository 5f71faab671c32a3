/**
 * The chain as a file that can be verified without anything else: one line of canonical JSON each for
 * what it is, for every link, and for its signed end. `docs/audit.md` describes it.
 */

import * as Audit from './audit.ts';
import * as Canonical from './canonical.ts';

/** Version of the format. */
const FORMAT = 1;
const KIND = 'audit-chain';
/** What a signed head says it is. */
const SIGNED_TYPE = 'breakwater-audit+jwt';

/** What the verifier needs from its host. */
export type Tools = {
  readonly hash: Audit.Hash;
  /** RFC 7638 thumbprint of a key, in base64url. */
  readonly thumbprint: (key: Audit.PublicKey) => string;
  /** Whether the compact JWS is one of this key, in the one form that these bytes have. */
  readonly isSigned: (jws: string, key: Audit.PublicKey) => boolean;
  /** Bytes of base64url as text. */
  readonly decode: (base64url: string) => string;
};

/** What came of a verification. `row` counts the lines of the file from 1. */
export type Verdict =
  | {
      readonly kind: 'whole';
      readonly head: Audit.Head;
      readonly issuer: string;
      readonly signedAtS: number;
      readonly kid: string;
    }
  | { readonly kind: 'broken'; readonly row: number; readonly why: string };

/** Text of the protected header of a head that the key of this `kid` signs. */
export function header(kid: string): string {
  return Canonical.text({ alg: 'ES256', kid, typ: SIGNED_TYPE });
}

/** The first line. */
export function opening(issuer: string): string {
  return Canonical.text({ breakwater: KIND, format: FORMAT, issuer });
}

/** The last line: how many links there are, and who signed the last one's hash. */
export function closing({ sequence, hash, jwk, jws }: Audit.Seal): string {
  return Canonical.text({ count: sequence, head: hash, jwk, jws });
}

/** The whole file. `links` are those up to the seal, all of them. */
export function write(parts: {
  readonly issuer: string;
  readonly links: readonly Audit.Link[];
  readonly seal: Audit.Seal;
}): string {
  const lines = [opening(parts.issuer), ...parts.links.map(Audit.toText), closing(parts.seal)];
  return lines.map((line) => `${line}\n`).join('');
}

/** Says that a file is not whole, and where. Thrown and caught in this file only. */
class Break extends Error {
  readonly row: number;
  constructor(row: number, why: string) {
    super(why);
    this.row = row;
  }
}

/**
 * Verifies a file by itself. Any byte that is not as it was written is found, in its row: every line
 * has one form only, every link's hash covers it and the one before, and the end is signed.
 * Fail direction: closed, what is not wholly understood is broken.
 *
 * @param trusted `kid`s of the keys that may sign; absent: the key in the file vouches for itself, and
 * whoever can replace the whole file can replace it too.
 */
export function verify(bytes: Uint8Array, tools: Tools, trusted?: readonly string[]): Verdict {
  try {
    return judge(linesOf(bytes), tools, trusted);
  } catch (error) {
    if (error instanceof Break) return { kind: 'broken', row: error.row, why: error.message };
    throw error;
  }
}

function judge(
  lines: readonly string[],
  tools: Tools,
  trusted: readonly string[] | undefined,
): Verdict {
  const [first = '', ...rest] = lines;
  const issuer = issuerOf(first);
  const last = rest.pop();
  if (last === undefined)
    throw new Break(lines.length + 1, 'the file ends before its closing line');
  let head = Audit.GENESIS;
  rest.forEach((line, at) => {
    head = nextHead(head, line, { row: at + 2, hash: tools.hash });
  });
  const row = lines.length;
  const seal = sealOf(last, row);
  const claims = claimsOf(seal, row, tools);
  if (seal.sequence !== head.sequence || seal.hash !== head.hash) {
    const why = `the closing line signs link ${seal.sequence} with hash ${seal.hash}, but the last link is ${head.sequence} with hash ${head.hash}`;
    throw new Break(row, why);
  }
  if (trusted && !trusted.includes(seal.jwk.kid)) {
    throw new Break(row, `it is signed by the key ${seal.jwk.kid}, which is not a trusted one`);
  }
  if (claims.iss !== issuer) {
    throw new Break(1, `the issuer is ${issuer}, but ${claims.iss} is signed`);
  }
  return { kind: 'whole', head, issuer, signedAtS: claims.iat, kid: seal.jwk.kid };
}

/** The lines of a file, each of which ends with one line feed. */
function linesOf(bytes: Uint8Array): readonly string[] {
  const lines: string[] = [];
  let from = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, from)) {
    lines.push(decodeLine(bytes.subarray(from, at), lines.length + 1));
    from = at + 1;
  }
  if (from < bytes.length || bytes.length === 0) {
    throw new Break(lines.length + 1, 'the line does not end with a line feed');
  }
  return lines;
}

function decodeLine(line: Uint8Array, row: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    throw new Break(row, 'the line is no UTF-8');
  }
}

type Fields = { readonly [key: string]: Canonical.Json | undefined };

/** A line as an object with exactly these fields, in its canonical text. */
function fieldsOf(line: string, row: number, keys: readonly string[]): Fields {
  const value = parse(line, row);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) throw new Break(row, 'the line is no JSON object');
  const fields = value as Fields;
  mustHave(fields, row, keys);
  if (canonical(fields, row) !== line) throw new Break(row, 'the line is not in canonical form');
  return fields;
}

function parse(line: string, row: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Break(row, 'the line is no JSON');
  }
}

function canonical(fields: Fields, row: number): string {
  try {
    return Canonical.text(fields);
  } catch {
    throw new Break(row, 'the line holds a number that is no safe integer');
  }
}

function mustHave(fields: Fields, row: number, keys: readonly string[]): void {
  const found = Object.keys(fields).sort().join(' ');
  const wanted = [...keys].sort().join(' ');
  if (found !== wanted) throw new Break(row, `the fields are ${found || 'none'}, not ${wanted}`);
}

function issuerOf(line: string): string {
  const { breakwater, format, issuer } = fieldsOf(line, 1, ['breakwater', 'format', 'issuer']);
  if (breakwater !== KIND || format !== FORMAT || typeof issuer !== 'string') {
    throw new Break(1, `it is no ${KIND} of format ${FORMAT}`);
  }
  return issuer;
}

const LINK = ['entry', 'hash', 'previousHash', 'sequence'];
const ENTRY = ['after', 'atMs', 'before', 'entryId', 'reason', 'what', 'who'];

/** Checks that a line is the link after this head. */
function nextHead(
  head: Audit.Head,
  line: string,
  at: { readonly row: number; readonly hash: Audit.Hash },
): Audit.Head {
  const { row } = at;
  const { entry, hash, previousHash, sequence } = fieldsOf(line, row, LINK);
  if (sequence !== head.sequence + 1) {
    throw new Break(row, `link ${head.sequence + 1} should be here, but it says ${sequence}`);
  }
  mustBeEntry(entry, row);
  if (previousHash !== head.hash) {
    const before = head.sequence === 0 ? 'the beginning of a chain' : `link ${head.sequence}`;
    throw new Break(row, `previousHash is not the hash of ${before}`);
  }
  const own = at.hash(Canonical.text({ entry: entry ?? null, previousHash, sequence }));
  if (hash !== own) throw new Break(row, `the hash is ${hash}, but the link's text has ${own}`);
  return { sequence, hash };
}

function mustBeEntry(entry: Canonical.Json | undefined, row: number): void {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw new Break(row, 'the entry is no object');
  }
  const fields = entry as Fields;
  mustHave(fields, row, 'scope' in fields ? [...ENTRY, 'scope'] : ENTRY);
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value !== (key === 'atMs' ? 'number' : 'string')) {
      throw new Break(row, `the entry's ${key} has the wrong type`);
    }
  }
}

const POINT = /^[A-Za-z0-9_-]{43}$/;

function sealOf(line: string, row: number): Audit.Seal {
  const { count, head, jwk, jws } = fieldsOf(line, row, ['count', 'head', 'jwk', 'jws']);
  const key = jwk as Fields;
  const isKey = typeof jwk === 'object' && jwk !== null && !Array.isArray(jwk);
  if (!isKey || typeof count !== 'number' || typeof head !== 'string' || typeof jws !== 'string') {
    throw new Break(row, 'it is no closing line');
  }
  mustHave(key, row, ['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use']);
  const { kty, crv, x, y, kid, alg, use } = key;
  if (kty !== 'EC' || crv !== 'P-256' || alg !== 'ES256' || use !== 'sig') {
    throw new Break(row, 'the key is not one for ES256');
  }
  const isWhole = [x, y, kid].every((part) => typeof part === 'string' && POINT.test(part));
  if (!isWhole) throw new Break(row, 'the key is not whole');
  return { sequence: count, hash: head, jwk: key as Audit.PublicKey, jws };
}

/** What the closing line's signature vouches for. */
function claimsOf(seal: Audit.Seal, row: number, tools: Tools): Audit.Claims {
  const { jwk, jws } = seal;
  if (tools.thumbprint(jwk) !== jwk.kid)
    throw new Break(row, 'the kid is not the thumbprint of the key');
  const [head = '', payload = ''] = jws.split('.');
  if (tools.decode(head) !== header(jwk.kid))
    throw new Break(row, 'the signature has a wrong header');
  if (!tools.isSigned(jws, jwk)) throw new Break(row, 'the signature is not one of the key');
  const text = tools.decode(payload);
  const claims = fieldsOf(text, row, ['hash', 'iat', 'iss', 'sequence']) as unknown as Audit.Claims;
  if (claims.sequence !== seal.sequence || claims.hash !== seal.hash) {
    throw new Break(row, 'the signature is over another head');
  }
  return claims;
}
