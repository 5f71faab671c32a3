/**
 * What a signer asks before it signs: whether this admission is for this withdrawal, and for no other.
 *
 * ```ts
 * const verifier = createAdmissionVerifier({ jwksUrl, audience: 'signer-1' });
 * const result = await verifier.verify(admission, { withdrawalId, wallet, asset, amount, destination });
 * if (!result.ok) refuse(result.reason, result.text);
 * ```
 */

import {
  base64url,
  type CryptoKey,
  compactVerify,
  decodeProtectedHeader,
  type JSONWebKeySet,
} from 'jose';
import type { Clock } from '../ports.ts';
import {
  type Claims,
  canonical,
  type Expected,
  mismatch,
  outOfTime,
  parseClaims,
  type Rules,
} from './admission-claims.ts';
import type { Fetch } from './http.ts';
import {
  createFixedKeys,
  createPublishedKeys,
  type KeySource,
  keysAt,
  keysFrom,
  type ReadKeys,
} from './jwks.ts';
import { createMemoryReplayStore, type ReplayStore } from './replay-store.ts';
import { hostTimers, type Timers, wallClock } from './time.ts';

// The types of this module's own functions, for those who import it.
export type { Claims, Expected } from './admission-claims.ts';

/** Why an admission was refused; each reason is told apart so that an alarm can be, too. */
export type Reason =
  /** The caller's own withdrawal cannot be read. */
  | 'expected'
  /** Not a compact JWS, or its claims do not have the form of an admission. */
  | 'malformed'
  | 'algorithm'
  | 'type'
  /** A `crit` header: it demands an extension. */
  | 'critical'
  /** Any other header than `alg`, `kid` and `typ`. */
  | 'header'
  | 'unknown-key'
  | 'keys-unavailable'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'not-yet-valid'
  | 'expired'
  /** It lives for longer than an admission may. */
  | 'lifetime'
  | 'withdrawal'
  | 'chain'
  | 'wallet'
  | 'asset'
  | 'amount'
  | 'destination'
  | 'memo'
  | 'reused'
  /** The replay store could not tell. */
  | 'replay-store';

/** An admission is refused. `text` is one sentence for people and repeats nothing secret. */
export type Refusal = { readonly ok: false; readonly reason: Reason; readonly text: string };

/** The answer for one token. */
export type Result = { readonly ok: true; readonly claims: Claims } | Refusal;

/** Verifies admissions. */
export type AdmissionVerifier = {
  /**
   * Accepts a token once, for exactly the expected withdrawal. Never throws for a bad token.
   * Fail direction: closed, whatever cannot be checked is refused.
   */
  readonly verify: (token: string, expected: Expected) => Promise<Result>;
};

/** How to verify. One of `jwks`, `jwksUrl` and `readPublicKeys` says where the keys are. */
export type Options = {
  /** The audience that this signer is. */
  readonly audience: string;
  /** Checked where given. */
  readonly issuer?: string | undefined;
  readonly clock?: Clock | undefined;
  /** How far ahead the issuer's clock may be, 0 to 60 s; 2 unless given. It never lengthens an admission. */
  readonly clockToleranceS?: number | undefined;
  /** One within this process unless given: signers in several processes must share one. */
  readonly replayStore?: ReplayStore | undefined;
  /**
   * For how long a withdrawal opens the signer once only, whatever new admissions it gets, ms. Unless
   * given each admission opens it once, and a withdrawal that is asked for again can be signed again.
   */
  readonly oncePerWithdrawalMs?: number | undefined;
} & (
  | { readonly jwks: JSONWebKeySet }
  | ({ readonly jwksUrl: string; readonly fetch?: Fetch | undefined } & Reading)
  | ({
      /**
       * Reads all public keys from the service that holds them, in DER (SPKI), as `GetPublicKey` of
       * AWS KMS answers. Throws when one cannot be read; the keys read before are used meanwhile.
       */
      readonly readPublicKeys: () => Promise<readonly (Uint8Array | undefined)[]>;
    } & Reading)
);

/** How keys are read that change. */
type Reading = {
  readonly timers?: Timers | undefined;
  /** How long a read set of keys is used at most, 10 min unless given. */
  readonly keysMaxAgeMs?: number | undefined;
};

const TOLERANCE_DEFAULT_S = 2;
const TOLERANCE_MAX_S = 60;
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_COOLDOWN_MS = 5_000;
const KEYS_TIMEOUT_MS = 3_000;
const TOKEN_LENGTH_MAX = 8_192;
const LIFETIME_MAX_MS = 900_000;
/** A signature of ES256 is 64 bytes, which are 86 digits, the last of them with four unused bits. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/;
const HEADERS = new Set(['alg', 'kid', 'typ']);
const TYPE = 'breakwater-admission+jwt';

/**
 * Makes a verifier.
 *
 * @throws {InvalidOptionError} an empty audience or issuer, or a tolerance out of bounds, or a time
 *   for {@link Options.oncePerWithdrawalMs} in which an admission can outlive it.
 * @throws {Http.InsecureUrlError} keys over plain HTTP.
 */
export function createAdmissionVerifier(options: Options): AdmissionVerifier {
  const { audience, issuer, clock = wallClock } = options;
  const toleranceS = options.clockToleranceS ?? TOLERANCE_DEFAULT_S;
  if (!audience) throw new InvalidOptionError({ option: 'audience', why: 'must not be empty' });
  if (issuer === '') throw new InvalidOptionError({ option: 'issuer', why: 'must not be empty' });
  if (!(toleranceS >= 0 && toleranceS <= TOLERANCE_MAX_S)) {
    const why = `must be 0 to ${TOLERANCE_MAX_S}`;
    throw new InvalidOptionError({ option: 'clockToleranceS', why });
  }
  const { oncePerWithdrawalMs } = options;
  if (oncePerWithdrawalMs !== undefined && !(oncePerWithdrawalMs >= LIFETIME_MAX_MS)) {
    const why = `must be at least ${LIFETIME_MAX_MS}, the longest life of an admission`;
    throw new InvalidOptionError({ option: 'oncePerWithdrawalMs', why });
  }
  const replayStore = options.replayStore ?? createMemoryReplayStore({ clock });
  const keys = keysOf(options, clock);
  const rules = { audience, issuer, clock, toleranceMs: toleranceS * 1_000, oncePerWithdrawalMs };
  return { verify: (token, expected) => verify({ keys, replayStore, rules }, token, expected) };
}

type Deps = {
  readonly keys: KeySource;
  readonly replayStore: ReplayStore;
  readonly rules: Rules & {
    readonly clock: Clock;
    readonly oncePerWithdrawalMs: number | undefined;
  };
};

function keysOf(options: Options, clock: Clock): KeySource {
  if ('jwks' in options) return createFixedKeys(options.jwks);
  const read: ReadKeys =
    'jwksUrl' in options
      ? keysAt(options.jwksUrl, options.fetch ?? fetch)
      : keysFrom(options.readPublicKeys);
  return createPublishedKeys({
    read,
    clock,
    timers: options.timers ?? hostTimers,
    maxAgeMs: options.keysMaxAgeMs ?? KEYS_MAX_AGE_MS,
    cooldownMs: KEYS_COOLDOWN_MS,
    timeoutMs: KEYS_TIMEOUT_MS,
  });
}

async function verify(deps: Deps, token: string, expected: Expected): Promise<Result> {
  const { rules } = deps;
  const wanted = canonical(expected);
  if ('problem' in wanted) return refused('expected', wanted.problem);
  const header = readHeader(token);
  if ('ok' in header) return header;
  const found = await deps.keys.find(header.kid);
  if (found.kind === 'unknown') return refused('unknown-key', 'no published key has this kid');
  if (found.kind === 'unavailable') return refused('keys-unavailable', found.text);
  const payload = await openedWith(found.key, token);
  if (!payload) return refused('signature', 'the signature does not hold');
  const claims = parseClaims(payload);
  if (!claims) return refused('malformed', 'the claims are not those of an admission');
  const wrong =
    outOfTime(claims, rules, rules.clock.nowMs()) ?? mismatch(claims, rules, wanted.expected);
  if (wrong) return refused(wrong.reason, wrong.text);
  return claimOnce(deps, claims);
}

/** Headers are judged before any key is looked up: nothing that the token says chooses the algorithm. */
function readHeader(token: unknown): { readonly kid: string } | Refusal {
  if (typeof token !== 'string' || token.length > TOKEN_LENGTH_MAX) {
    return refused('malformed', `an admission is a text of at most ${TOKEN_LENGTH_MAX} characters`);
  }
  let header: Readonly<Record<string, unknown>>;
  try {
    header = { ...decodeProtectedHeader(token) };
  } catch {
    return refused('malformed', 'this is no JWS in compact form');
  }
  if (header.alg !== 'ES256') return refused('algorithm', 'admissions are signed with ES256');
  if (header.typ !== TYPE) return refused('type', `the token's type is not ${TYPE}`);
  if ('crit' in header) return refused('critical', 'the token demands an extension');
  if (Object.keys(header).some((name) => !HEADERS.has(name))) {
    return refused('header', 'an admission has no headers beside alg, kid and typ');
  }
  const { kid } = header;
  if (typeof kid !== 'string') return refused('unknown-key', 'the token names no key');
  if (!isCompact(token)) return refused('malformed', 'this is no JWS in compact form');
  return { kid };
}

/** One spelling only: bits that decoding ignores would let a token be written in several ways. */
function isCompact(token: string): boolean {
  if (!COMPACT.test(token)) return false;
  const [header = '', payload = ''] = token.split('.');
  try {
    return [header, payload].every((part) => base64url.encode(base64url.decode(part)) === part);
  } catch {
    return false;
  }
}

async function openedWith(key: CryptoKey, token: string): Promise<Uint8Array | undefined> {
  try {
    return (await compactVerify(token, key, { algorithms: ['ES256'] })).payload;
  } catch {
    return undefined;
  }
}

/**
 * Last of all, so that a token that is refused for another reason is not used up by it. The id is
 * claimed and not the text: anybody can write a second valid signature beside an ECDSA signature.
 */
async function claimOnce({ replayStore, rules }: Deps, claims: Claims): Promise<Result> {
  const { clock, oncePerWithdrawalMs } = rules;
  const once =
    oncePerWithdrawalMs === undefined
      ? { id: claims.jti, untilMs: claims.exp * 1_000 }
      : { id: `withdrawal:${claims.sub}`, untilMs: clock.nowMs() + oncePerWithdrawalMs };
  try {
    const isFirst = await replayStore.claim(once.id, once.untilMs);
    // Anything but `true`, from whatever store there is, is no permission.
    return isFirst === true
      ? { ok: true, claims }
      : refused('reused', 'this admission was used before');
  } catch {
    return refused('replay-store', 'cannot tell whether this admission was used before');
  }
}

function refused(reason: Reason, text: string): Refusal {
  return { ok: false, reason, text };
}

/** A verifier cannot be made as it was asked for. */
export class InvalidOptionError extends Error {
  override readonly name = 'Admission.InvalidOptionError';
  constructor(details: { readonly option: string; readonly why: string }) {
    super(`${details.option} ${details.why}`);
  }
}
