import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { type CfnStage, HttpApi, HttpMethod, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import { BreakwaterFunction, type FunctionSettings } from './breakwater-function.ts';
import { cellOf } from './cell.ts';
import type { ControlTable } from './control-table.ts';
import type { EventsIngress } from './events-ingress.ts';
import type { LedgerTable } from './ledger-table.ts';

/** Which providers may send webhooks: for each, the name of its secret in Secrets Manager (`docs/webhooks.md`). */
export type WebhookProps = {
  /** @default - Alchemy has no path */
  readonly alchemySecretName?: string;
  /** @default - Fireblocks has no path */
  readonly fireblocksSecretName?: string;
  /** @default - the generic shape has no path */
  readonly genericSecretName?: string;
  /**
   * ARN of the customer-managed key that the secrets are encrypted with.
   * @default - the account's own `aws/secretsmanager`, which needs no grant
   */
  readonly secretKeyArn?: string;
  /**
   * Deliveries handled at the same time. The endpoint is open to the world: this bounds what a flood
   * costs, and is taken from the account's pool.
   * @default 10
   */
  readonly concurrencyMax?: number;
  /**
   * Deliveries that the endpoint takes in a second, on average; what is more is answered 429 and costs
   * nothing. Providers send such deliveries again.
   * @default 20
   */
  readonly perSecondMax?: number;
  /**
   * Deliveries that it takes at once.
   * @default 40
   */
  readonly burstMax?: number;
};

/** What the receiver works on. */
type WebhookReceiverProps = {
  readonly webhooks: WebhookProps;
  readonly ledger: LedgerTable;
  readonly control: ControlTable;
  readonly ingress: EventsIngress;
  readonly settings: FunctionSettings;
};

const CONCURRENCY_MAX = 10;
const PER_SECOND_MAX = 20;
const BURST_MAX = 40;

/**
 * The only door that is open to the world: an HTTP API without IAM, since no provider can sign for it.
 * Every delivery proves itself by its provider's signature. It is throttled before the function is
 * invoked, has a route for each provider that is set up and no other, and the function answers 413 to a
 * body that is longer than its provider sends (256 KiB to 1 MiB), before it looks at anything.
 *
 * The function reads the policy and its secrets, and puts events on the bus. It sees no ledger row,
 * writes to no table, and can send no heartbeat.
 */
export class WebhookReceiver extends Construct {
  readonly url: string;
  readonly receiver: BreakwaterFunction;

  constructor(scope: Construct, id: string, props: WebhookReceiverProps) {
    super(scope, id);
    const { webhooks, ledger, control, ingress, settings } = props;
    const fn = new BreakwaterFunction(this, 'ReceiveWebhook', {
      name: 'receive-webhook',
      description: 'Turns signed deliveries of custodians and node providers into events',
      timeout: Duration.seconds(20),
      settings,
      reservedConcurrency: webhooks.concurrencyMax ?? CONCURRENCY_MAX,
    });
    ledger.grantReadFlag(fn);
    fn.setEnvironment(ENV.ledgerTable, ledger.table.tableName);
    control.grantReadPolicy(fn);
    fn.setEnvironment(ENV.controlTable, control.table.tableName);
    ingress.grantPassOn(fn, { mayClose: webhooks.fireblocksSecretName !== undefined });
    this.#grantSecrets(fn, webhooks);
    this.receiver = fn;
    this.url = this.#open(fn, webhooks);
  }

  #open(fn: BreakwaterFunction, webhooks: WebhookProps): string {
    const api = new HttpApi(this, 'Endpoint', {
      apiName: `${cellOf(this)}-webhooks`,
      description: 'Breakwater: deliveries of custodians and node providers',
      createDefaultStage: false,
    });
    const integration = new HttpLambdaIntegration('Receive', fn.target);
    for (const path of pathsOf(webhooks)) {
      const routes = api.addRoutes({ path, methods: [HttpMethod.POST], integration });
      for (const route of routes) {
        Validations.of(route).acknowledge({
          id: 'AwsSolutions-APIG4',
          reason:
            'No provider can sign for IAM or bring a token of ours. The function checks the ' +
            'signature that each provider makes over the delivery, and answers 401 to all others.',
        });
      }
    }
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      autoDeploy: true,
      throttle: {
        rateLimit: webhooks.perSecondMax ?? PER_SECOND_MAX,
        burstLimit: webhooks.burstMax ?? BURST_MAX,
      },
    });
    this.#log(stage);
    return stage.url;
  }

  #log(stage: HttpStage): void {
    const { logGroupArn: destinationArn } = new LogGroup(this, 'Access', {
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const format = {
      requestId: '$context.requestId',
      ip: '$context.identity.sourceIp',
      route: '$context.routeKey',
      status: '$context.status',
      bytes: '$context.responseLength',
    };
    const cfn = stage.node.defaultChild as CfnStage;
    cfn.accessLogSettings = { destinationArn, format: JSON.stringify(format) };
  }

  #grantSecrets(fn: BreakwaterFunction, webhooks: WebhookProps): void {
    const names = [
      [ENV.alchemySecretName, webhooks.alchemySecretName],
      [ENV.fireblocksSecretName, webhooks.fireblocksSecretName],
      [ENV.genericSecretName, webhooks.genericSecretName],
    ] as const;
    for (const [variable, name] of names) {
      if (name === undefined) continue;
      fn.setEnvironment(variable, name);
      // Secrets Manager ends every ARN with six characters of its own.
      const resource = `secret:${name}-??????`;
      allow(fn, {
        actions: ['secretsmanager:GetSecretValue'],
        resources: [Stack.of(this).formatArn({ service: 'secretsmanager', resource })],
      });
    }
    if (webhooks.secretKeyArn === undefined) return;
    const { region, urlSuffix } = Stack.of(this);
    allow(fn, {
      actions: ['kms:Decrypt'],
      resources: [webhooks.secretKeyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}` },
      },
    });
  }
}

/** A route for each provider that has a secret: the paths that the function knows. */
function pathsOf(webhooks: WebhookProps): readonly string[] {
  const { alchemySecretName, fireblocksSecretName, genericSecretName } = webhooks;
  const known = [
    ['/alchemy', alchemySecretName],
    ['/fireblocks', fireblocksSecretName],
    ['/generic', genericSecretName],
  ] as const;
  return known.flatMap(([path, secret]) => (secret === undefined ? [] : [path]));
}
