import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  type IGrantable,
  type IPrincipal,
  Policy,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import { bundledCode } from './bundled-code.ts';
import { cellOf } from './cell.ts';

/** What the functions of one Breakwater have in common. */
export type FunctionSettings = {
  /** Absolute path of the folder with the entry files. */
  readonly lambdaFolder: string;
  /** How long the log group keeps what the function wrote. */
  readonly logRetention: RetentionDays;
};

/** What makes one function differ from the others. */
export type BreakwaterFunctionProps = {
  /** Entry file without `.ts`; also the suffix of the function's name. */
  readonly name: string;
  readonly description: string;
  readonly timeout: Duration;
  readonly settings: FunctionSettings;
  /**
   * Executions kept free for this function, and its maximum.
   * @default - none: the function shares the account's pool
   */
  readonly reservedConcurrency?: number | undefined;
};

/**
 * One Node function with a role, a log group and a trace of its own.
 *
 * The role starts with what writing logs and traces needs and nothing else; every
 * further verb comes from the construct that owns the resource.
 */
export class BreakwaterFunction extends Construct implements IGrantable {
  readonly fn: LambdaFunction;
  readonly grantPrincipal: IPrincipal;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: BreakwaterFunctionProps) {
    super(scope, id);
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Breakwater ${props.name}: least verbs, this function only`,
    });
    this.grantPrincipal = this.role;
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.settings.logRetention,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.fn = new LambdaFunction(this, 'Function', {
      // A name that follows from the stack's lets the CLI find the function without a look-up.
      functionName: `${cellOf(this)}-${props.name}`,
      description: props.description,
      // CDK may add nothing to the role: what is not granted in these files is not granted.
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      timeout: props.timeout,
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
      ...runtimeOf(),
      environment: { NODE_OPTIONS: '--enable-source-maps', [ENV.cellName]: cellOf(this) },
      handler: 'index.handler',
      code: bundledCode({ lambdaFolder: props.settings.lambdaFolder, name: props.name }),
    });
    allow(this, {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    });
    // Functions and event sources look at the role when they are made; it must be complete by then.
    this.fn.node.addDependency(this.role, this.#grantTracing());
  }

  /** Sets one environment variable; `name` is one of `ENV`. */
  setEnvironment(name: string, value: string): void {
    this.fn.addEnvironment(name, value);
  }

  // In a policy of its own, so that what explains this "*" explains no other.
  #grantTracing(): Policy {
    const tracing = new Policy(this, 'Tracing', {
      roles: [this.role],
      statements: [
        new PolicyStatement({
          actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
          resources: ['*'],
        }),
      ],
    });
    Validations.of(tracing).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray has no resources to name, both verbs accept only "*"; they only write traces.',
    });
    return tracing;
  }
}

function runtimeOf() {
  return {
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    // DynamoDB round trips decide the latency; below 1 GB the share of a CPU starts to.
    memorySize: 1024,
    tracing: Tracing.ACTIVE,
    loggingFormat: LoggingFormat.JSON,
  };
}
