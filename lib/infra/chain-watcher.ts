import { Duration, Stack } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import { BreakwaterFunction, type FunctionSettings } from './breakwater-function.ts';
import type { ControlTable } from './control-table.ts';
import type { LedgerTable } from './ledger-table.ts';

/** Where the nodes of the watched chains are named. */
export type WatchProps = {
  /** Name of the secret in Secrets Manager that holds the nodes' URLs (`docs/watching.md`). */
  readonly rpcSecretName: string;
  /**
   * ARN of the customer-managed key that the secret is encrypted with.
   * @default - the account's own `aws/secretsmanager`, which needs no grant
   */
  readonly secretKeyArn?: string;
  /**
   * Name of the secret that holds the URL and the headers of the HTTP provider of prices
   * (`docs/policy.md`), encrypted like the other one.
   * @default - the public endpoint of CoinGecko, without a key
   */
  readonly priceSecretName?: string;
};

/** What the watcher works on. */
type ChainWatcherProps = {
  readonly watch: WatchProps;
  readonly ledger: LedgerTable;
  readonly control: ControlTable;
  readonly settings: FunctionSettings;
};

// 57 s in which steps begin, and the time that a last one may take.
const TIMEOUT = Duration.seconds(90);
// One invocation a minute, each a minute and a half at most: never more than two at once.
const CONCURRENCY = 2;

/**
 * Looks at the chains themselves: one function, once a minute for a minute. It decides as
 * `ingest-events` does, keeps its cursors in the Control table, and reads one secret.
 *
 * Fails closed: a chain that it does not see gets no lease.
 */
export class ChainWatcher extends Construct {
  readonly watcher: BreakwaterFunction;

  constructor(scope: Construct, id: string, props: ChainWatcherProps) {
    super(scope, id);
    const { watch, ledger, control, settings } = props;
    const fn = new BreakwaterFunction(this, 'WatchChain', {
      name: 'watch-chain',
      description: 'Reads the chains, and trips for what left without approval',
      timeout: TIMEOUT,
      settings,
      reservedConcurrency: CONCURRENCY,
    });
    ledger.grantDecide(fn, ['balance#*', 'prices', 'sight#*']);
    control.grantDecide(fn, ['watch']);
    this.#grantSecret(fn, watch);
    // Never tried again: the next minute brings the next one, and goes on where this one ended.
    fn.target.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    new Rule(this, 'EveryMinute', {
      description: 'Breakwater: watch-chain',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaFunction(fn.target, { retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
      ],
    });
    this.watcher = fn;
  }

  #grantSecret(fn: BreakwaterFunction, watch: WatchProps): void {
    fn.setEnvironment(ENV.rpcSecretName, watch.rpcSecretName);
    if (watch.priceSecretName !== undefined) {
      fn.setEnvironment(ENV.priceSecretName, watch.priceSecretName);
    }
    const names = [watch.rpcSecretName, watch.priceSecretName].filter((name) => name !== undefined);
    allow(fn, {
      actions: ['secretsmanager:GetSecretValue'],
      // Secrets Manager ends every ARN with six characters of its own.
      resources: names.map((name) =>
        Stack.of(this).formatArn({ service: 'secretsmanager', resource: `secret:${name}-??????` }),
      ),
    });
    if (watch.secretKeyArn === undefined) return;
    const { region, urlSuffix } = Stack.of(this);
    allow(fn, {
      actions: ['kms:Decrypt'],
      resources: [watch.secretKeyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}` },
      },
    });
  }
}
