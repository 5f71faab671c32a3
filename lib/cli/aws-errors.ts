/** Errors of the AWS SDK, in words that say what to do. */

import { EXIT, type ExitCode, StoppedError } from './exit-code.ts';

type Meaning = { readonly exitCode: ExitCode; readonly hint: string };

/** The first pattern that fits name and message says what an error means. */
const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [
    /CredentialsProviderError|TokenProviderError|CredentialsError/,
    {
      exitCode: EXIT.usage,
      hint: 'Log in first (for example: aws sso login --profile NAME) and name the profile with --profile.',
    },
  ],
  [
    /Region is missing/,
    {
      exitCode: EXIT.usage,
      hint: 'Name the region of the stack with --region, or set AWS_REGION.',
    },
  ],
  [
    /ValidationError.*does not exist/,
    {
      exitCode: EXIT.usage,
      hint: 'Check --stack, --region and --profile: the name, and where it is.',
    },
  ],
  [
    /ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature/,
    { exitCode: EXIT.usage, hint: 'The AWS credentials are not valid any more; log in again.' },
  ],
  [
    /AccessDenied|NotAuthorized|UnauthorizedOperation/,
    {
      exitCode: EXIT.refused,
      hint: 'Ask for the permission, or go without reading the stack: BREAKWATER_COMMAND_URL and BREAKWATER_EVENT_BUS hold its outputs OperateUrl and EventBusName.',
    },
  ],
];

const OTHERWISE: Meaning = {
  exitCode: EXIT.unreachable,
  hint: 'Check the network and --region, then try again.',
};

/** Turns an error of the SDK into one that ends the command; `what` says what failed. */
export function awsStopped(error: unknown, what: string): StoppedError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const text = `${name} ${message}`.replaceAll('\n', ' ');
  const { exitCode, hint } = MEANINGS.find(([pattern]) => pattern.test(text))?.[1] ?? OTHERWISE;
  return new StoppedError({
    exitCode,
    message: `${what}: ${message || name}`,
    hint,
    cause: error,
  });
}
