/** Why a delivery of a provider is not taken. Nothing of it was put on the bus. */

/** Nobody proved to have sent it. The answer is 401 and says no more, so that a forger learns nothing. */
export class UnsignedError extends Error {
  override readonly name = 'Webhook.UnsignedError';
  constructor(details: { readonly why: string }) {
    super(details.why);
  }
}

/** Signed, but not of the shape that is known. `problems` name field and reason. */
export class MalformedError extends Error {
  override readonly name = 'Webhook.MalformedError';
  readonly problems: readonly string[];
  constructor(details: { readonly problems: readonly string[] }) {
    super(details.problems.join('; '));
    this.problems = details.problems;
  }
}

/** Signed and readable, but the configuration does not say what it means here; after a change of it the same delivery is taken. */
export class UnmappedError extends Error {
  override readonly name = 'Webhook.UnmappedError';
  readonly problems: readonly string[];
  constructor(details: { readonly problems: readonly string[] }) {
    super(details.problems.join('; '));
    this.problems = details.problems;
  }
}

/** It cannot be told yet what it means: the provider is to send it again. */
export class LaterError extends Error {
  override readonly name = 'Webhook.LaterError';
  constructor(details: { readonly why: string; readonly cause?: unknown }) {
    super(details.why, { cause: details.cause });
  }
}

/** The secret of a provider does not hold what it must. Its text is not repeated. */
export class SettingsError extends Error {
  override readonly name = 'Webhook.SettingsError';
  constructor(details: { readonly problems: readonly string[] }) {
    super(`the secret cannot be used: ${details.problems.join('; ')}`);
  }
}
