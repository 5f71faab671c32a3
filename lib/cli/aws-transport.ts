/**
 * The way to a deployed stack: commands to its function URL, signed with the caller's own AWS
 * credentials, which is what proves who gives them; events to its bus.
 */

import {
  CloudFormationClient,
  DescribeStacksCommand,
  type Output,
} from '@aws-sdk/client-cloudformation';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Request } from '../adapters/wire/command.ts';
import { awsStopped } from './aws-errors.ts';
import { EVENTS_MAX, putEvents } from './aws-events.ts';
import { EXIT, StoppedError } from './exit-code.ts';
import { type Answer, post, type Transport } from './transport.ts';

/** Which account and where; what is left out comes from the SDK's own chain of settings. */
export type Account = {
  readonly profile?: string | undefined;
  readonly region?: string | undefined;
};

/** A stack by its name, or what its outputs say where the caller may not read them. */
export type StackRef =
  | { readonly stack: string }
  | { readonly commandUrl: string; readonly eventBus?: string | undefined };

type Names = {
  readonly commandUrl: URL;
  readonly eventBus: string | undefined;
  readonly ledger?: string | undefined;
  readonly control?: string | undefined;
};

/** Keys of the outputs, as `lib/infra/hand-outs.ts` writes them. */
const OUTPUT = {
  commandUrl: 'OperateUrl',
  eventBus: 'EventBusName',
  ledger: 'LedgerTableName',
  control: 'ControlTableName',
} as const;
/** Attempts for one command, the first included; its `commandId` lets it act once. */
const ATTEMPTS_MAX = 3;
/** Wait before the second attempt; doubled before the third. */
const RETRY_WAIT_MS = 500;

/**
 * A transport to a deployed stack. Reads the stack's outputs first, where only its name is known.
 *
 * @throws {StoppedError} no credentials or region, no such stack, or one that is no Breakwater.
 */
export async function connectAws(
  stack: StackRef,
  account: Account,
  sleep: (ms: number) => Promise<void>,
): Promise<Transport> {
  const settings = {
    ...(account.profile === undefined ? {} : { profile: account.profile }),
    ...(account.region === undefined ? {} : { region: account.region }),
  };
  const cloudFormation = new CloudFormationClient(settings);
  const names: Names =
    'stack' in stack ? await readOutputs(cloudFormation, stack.stack) : given(stack);
  const target = 'stack' in stack ? `stack ${stack.stack}` : names.commandUrl.host;
  const sign = signerFor(cloudFormation, names.commandUrl);
  const events = new EventBridgeClient(settings);
  return {
    target,
    ask: (request) => askPatiently({ request, url: names.commandUrl, target, sign, sleep }),
    eventsMax: EVENTS_MAX,
    send: async (batch) => {
      const { eventBus } = names;
      if (eventBus === undefined) throw noBus();
      await putEvents({ client: events, bus: eventBus, sleep }, batch);
    },
    tables: async () => {
      const { ledger, control } = names;
      if (ledger === undefined || control === undefined) throw noTables();
      return { ledger, control, client: account };
    },
  };
}

type Sign = (body: string) => Promise<Readonly<Record<string, string>>>;

/** Signs one POST for Lambda, with the credentials and in the region that the client has found. */
function signerFor(client: CloudFormationClient, url: URL): Sign {
  const { sha256, credentials } = client.config;
  const ofUrl = /\.lambda-url\.([a-z0-9-]+)\.on\.aws$/.exec(url.hostname)?.[1];
  const region = ofUrl ?? client.config.region;
  const signature = new SignatureV4({ service: 'lambda', region, credentials, sha256 });
  return async (body) => {
    try {
      const signed = await signature.sign({
        method: 'POST',
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        headers: { host: url.host, 'content-type': 'application/json' },
        body,
      });
      const { host: _, ...headers } = signed.headers;
      return headers;
    } catch (error) {
      throw awsStopped(error, 'The command could not be signed');
    }
  };
}

async function askPatiently(parameters: {
  readonly request: Request;
  readonly url: URL;
  readonly target: string;
  readonly sign: Sign;
  readonly sleep: (ms: number) => Promise<void>;
}): Promise<Answer> {
  const { request, url, target, sign, sleep } = parameters;
  const body = JSON.stringify(request);
  const hint =
    'Whether anything was done is not known. Try again, then look: breakwater status --stack …';
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt === ATTEMPTS_MAX;
    try {
      const answer = await post({ url, body, headers: await sign(body), target, hint });
      if (isLast || (answer.status < 500 && answer.status !== 429)) return answer;
    } catch (error) {
      const isFinal = !(error instanceof StoppedError) || error.exitCode !== EXIT.unreachable;
      if (isLast || isFinal) throw error;
    }
    await sleep(RETRY_WAIT_MS * 2 ** (attempt - 1));
  }
}

async function readOutputs(client: CloudFormationClient, stack: string): Promise<Names> {
  const outputs = await describe(client, stack);
  const outputOf = (key: string) => outputs.find((output) => output.OutputKey === key)?.OutputValue;
  const commandUrl = outputOf(OUTPUT.commandUrl);
  if (commandUrl === undefined) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: `The stack ${stack} has no output ${OUTPUT.commandUrl}: it is no Breakwater, or its deployment has not finished.`,
    });
  }
  return {
    commandUrl: new URL(commandUrl),
    eventBus: outputOf(OUTPUT.eventBus),
    ledger: outputOf(OUTPUT.ledger),
    control: outputOf(OUTPUT.control),
  };
}

async function describe(client: CloudFormationClient, stack: string): Promise<readonly Output[]> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return Stacks?.[0]?.Outputs ?? [];
  } catch (error) {
    throw awsStopped(error, `The outputs of stack ${stack} could not be read`);
  }
}

function given(names: { readonly commandUrl: string; readonly eventBus?: string | undefined }) {
  return { commandUrl: new URL(names.commandUrl), eventBus: names.eventBus };
}

function noTables(): StoppedError {
  return new StoppedError({
    exitCode: EXIT.usage,
    message: 'The tables of the stack are not known.',
    hint: 'Name the stack with --stack.',
  });
}

function noBus(): StoppedError {
  return new StoppedError({
    exitCode: EXIT.usage,
    message: 'The event bus of the stack is not known.',
    hint: 'Set BREAKWATER_EVENT_BUS, or name the stack with --stack.',
  });
}
