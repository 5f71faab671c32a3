import { ArnFormat, type Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import {
  Effect,
  type IGrantable,
  type IPrincipal,
  Policy,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  Architecture,
  type IFunction,
  type IVersion,
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
  /** Absent: in no VPC. */
  readonly network?: Network | undefined;
};

/** Subnets for the functions. */
export type Network = {
  readonly vpc: IVpc;
  /** @default - the private subnets with a way out */
  readonly subnets?: SubnetSelection;
  /** @default - one of each function's own, open outwards */
  readonly securityGroups?: readonly ISecurityGroup[];
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
  /**
   * Environments kept warm.
   * @default - none
   */
  readonly provisionedConcurrency?: number | undefined;
};

/** Name of the alias whose environments are kept warm. */
const WARM = 'live';

/** What Lambda needs to put a function into a VPC; EC2 knows no resources for them. */
const NETWORK_VERBS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * One Node function with a role, a log group and a trace of its own.
 *
 * The role starts with what writing logs and traces needs and nothing else; every
 * further verb comes from the construct that owns the resource.
 */
export class BreakwaterFunction extends Construct implements IGrantable {
  readonly fn: LambdaFunction;
  /** What is invoked: the function, or the alias that is kept warm. */
  readonly target: IFunction;
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
    const { network } = props.settings;
    const functionName = `${cellOf(this)}-${props.name}`;
    this.fn = new LambdaFunction(this, 'Function', {
      // A name that follows from the stack's lets the CLI find the function without a look-up.
      functionName,
      description: props.description,
      // CDK may add nothing to the role: what is not granted in these files is not granted.
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      timeout: props.timeout,
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
      ...networkOf(network),
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
    if (network) this.fn.node.addDependency(this.#grantNetwork(functionName));
    this.target = this.#warm(props.provisionedConcurrency);
  }

  /** Sets one environment variable; `name` is one of `ENV`. */
  setEnvironment(name: string, value: string): void {
    this.fn.addEnvironment(name, value);
  }

  #warm(provisionedConcurrentExecutions: number | undefined): IFunction {
    if (provisionedConcurrentExecutions === undefined) return this.fn;
    // The CDK's own types differ in whether `role` may be undefined.
    const version = this.fn.currentVersion as IVersion;
    const warm = { aliasName: WARM, version, provisionedConcurrentExecutions };
    return new Alias(this, 'Warm', warm) as IFunction;
  }

  // Lambda itself needs these verbs, never the code: it is denied them where it runs.
  #grantNetwork(functionName: string): Policy {
    const arn = Stack.of(this).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: functionName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const network = new Policy(this, 'Network', {
      roles: [this.role],
      statements: [
        new PolicyStatement({ actions: NETWORK_VERBS, resources: ['*'] }),
        new PolicyStatement({
          effect: Effect.DENY,
          actions: NETWORK_VERBS,
          resources: ['*'],
          conditions: { ArnEquals: { 'lambda:SourceFunctionArn': arn } },
        }),
      ],
    });
    Validations.of(network).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Lambda makes the network interfaces of a function with its role, before it knows them by ' +
        'name; what runs in the function is denied the same verbs.',
    });
    return network;
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

function networkOf(network: Network | undefined) {
  if (!network) return {};
  const { vpc, subnets, securityGroups } = network;
  return {
    vpc,
    ...(subnets && { vpcSubnets: subnets }),
    ...(securityGroups && { securityGroups: [...securityGroups] }),
  };
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
