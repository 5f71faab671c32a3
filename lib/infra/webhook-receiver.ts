import { Duration, Stack } from 'aws-cdk-lib';
import { type FunctionUrl, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import { BreakwaterFunction, type FunctionSettings } from './breakwater-function.ts';
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
   * Deliveries handled at the same time. The URL is open to the world: this is what bounds a flood,
   * and it is taken from the account's pool.
   * @default 10
   */
  readonly concurrencyMax?: number;
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

/**
 * The only door that is open to the world: a function URL without IAM, since no provider can sign for
 * it. Every delivery proves itself by its provider's signature.
 *
 * The function reads the policy and its secrets, and puts events on the bus. It sees no ledger row,
 * writes to no table, and can send no heartbeat.
 */
export class WebhookReceiver extends Construct {
  readonly url: FunctionUrl;

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
    this.url = fn.fn.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
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
