/** A request that a local AWS service refuses, with the code that the real one would give. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly status: number;
  readonly code: string;
  constructor(details: {
    readonly code: string;
    readonly message: string;
    readonly status?: number;
  }) {
    super(details.message);
    this.code = details.code;
    this.status = details.status ?? 400;
  }
}
