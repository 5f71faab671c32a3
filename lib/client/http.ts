/** One JSON request: over TLS or loopback, without redirects, with a bound on the answer's size. */

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What came back. `value` is parsed JSON that nobody has checked yet. */
export type Reply = { readonly status: number; readonly value: unknown };

/** Longest answer that is read: 100 verdicts with admissions stay well below. */
const BODY_BYTES_MAX = 1_048_576;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * The URL, if an answer from it can be trusted: anybody on the way of plain HTTP could say "enabled".
 *
 * @throws {InsecureUrlError} at construction, so that a wrong setting shows at once.
 */
export function trustedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLocal = url?.protocol === 'http:' && LOOPBACK.has(url.hostname);
  if (!url || !(isLocal || url.protocol === 'https:')) throw new InsecureUrlError();
  return url;
}

/** Sends one request and reads its JSON. @throws {UnreadableReplyError} too long, or not JSON. */
export async function requestJson(fetch: Fetch, url: string, init: RequestInit): Promise<Reply> {
  const response = await fetch(url, { ...init, redirect: 'error' });
  const text = await readText(response);
  try {
    return { status: response.status, value: JSON.parse(text) };
  } catch (cause) {
    if (!response.ok) return { status: response.status, value: undefined };
    throw new UnreadableReplyError({ why: 'it is not JSON', cause });
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) {
      throw new UnreadableReplyError({ why: `it is longer than ${BODY_BYTES_MAX} bytes` });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** An answer cannot be read. */
export class UnreadableReplyError extends Error {
  override readonly name = 'Http.UnreadableReplyError';
  constructor(details: { readonly why: string; readonly cause?: unknown }) {
    super(`the answer cannot be read: ${details.why}`, { cause: details.cause });
  }
}

/** A URL is neither `https:` nor on this machine. The URL itself may hold a secret and is not repeated. */
export class InsecureUrlError extends Error {
  override readonly name = 'Http.InsecureUrlError';
  constructor() {
    super('the URL must begin with https://, or with http:// and name this machine (localhost)');
  }
}
