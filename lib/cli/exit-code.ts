/** How the CLI ends, and the one error that says so. */

/** Exit codes, as `docs/cli.md` promises them to scripts. */
export const EXIT = {
  ok: 0,
  /** A fault of the CLI or of the service: nothing that other input would have avoided. */
  unexpected: 1,
  /** Unknown option, unreadable file, malformed event or policy. Nothing was done. */
  usage: 2,
  /** The product said no, or the person did when asked. Nothing was done. */
  refused: 3,
  /** Nobody answered, or the answer broke off: whether a command was carried out is not known. */
  unreachable: 4,
  /** `flag` and `status --check` only: withdrawals are not enabled. */
  notEnabled: 5,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command ends here. The message says what happened, `hint` what to do next. */
export class StoppedError extends Error {
  override readonly name = 'Cli.StoppedError';
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  /** The product's own answer, where it gave one: `--json` prints it. */
  readonly answer: unknown;
  constructor(details: {
    readonly exitCode: ExitCode;
    readonly message: string;
    readonly hint?: string | undefined;
    readonly answer?: unknown;
    readonly cause?: unknown;
  }) {
    super(details.message, { cause: details.cause });
    this.exitCode = details.exitCode;
    this.hint = details.hint;
    this.answer = details.answer;
  }
}
