import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import {
  AnyPrincipal,
  Effect,
  type IGrantable,
  PolicyStatement,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import { allow } from './allow.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { parkingQueue } from './breakwater-queue.ts';
import { rotated } from './table-key.ts';

const TOPIC_KEY_VERBS = ['kms:Decrypt', 'kms:GenerateDataKey'];

// A command that is older must be given again by a person who knows how things stand now.
const COMMAND_AGE_MAX = Duration.minutes(5);
const COMMAND_RETRIES_MAX = 2;

/**
 * The alert topic (Breakwater speaks to people), the notice topic (alarms that can wait for the
 * morning) and the control topic (people speak to it). What is only subscribed to the alert topic,
 * such as a pager, is not woken by a notice of an alarm.
 *
 * All encrypted under a key of their own, which CloudWatch's alarms may use; TLS only.
 */
export class Alerts extends Construct {
  readonly alertTopic: Topic;
  readonly noticeTopic: Topic;
  readonly controlTopic: Topic;
  readonly failedCommands: Queue;
  readonly #key: Key;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly alertEmails: readonly string[];
      readonly keyRotation?: Duration | undefined;
    },
  ) {
    super(scope, id);
    this.#key = new Key(this, 'TopicKey', {
      description: 'Breakwater: alert and control topics',
      ...rotated(props.keyRotation),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.alertTopic = this.#topic('Alert', 'Breakwater alerts');
    this.noticeTopic = this.#topic('Notice', 'Breakwater notices');
    this.controlTopic = this.#topic('Control', 'Breakwater commands');
    this.failedCommands = parkingQueue(this, 'FailedCommands');
    this.#admitAlarms();
    for (const email of props.alertEmails) {
      this.alertTopic.addSubscription(new EmailSubscription(email));
      this.noticeTopic.addSubscription(new EmailSubscription(email));
    }
  }

  /** Lets `fn` alert. */
  grantAlert(fn: BreakwaterFunction): void {
    allow(fn, { actions: ['sns:Publish'], resources: [this.alertTopic.topicArn] });
    allow(fn, { actions: TOPIC_KEY_VERBS, resources: [this.#key.keyArn] });
    fn.setEnvironment(ENV.alertTopicArn, this.alertTopic.topicArn);
  }

  /** Lets a person or a service give commands through the control topic. */
  grantCommand(grantee: IGrantable): void {
    allow(grantee, { actions: ['sns:Publish'], resources: [this.controlTopic.topicArn] });
    allow(grantee, { actions: TOPIC_KEY_VERBS, resources: [this.#key.keyArn] });
  }

  /** Hands every command to `fn`; one that is not carried out ends in `failedCommands`. */
  sendCommandsTo(fn: BreakwaterFunction): void {
    this.controlTopic.addSubscription(
      new LambdaSubscription(fn.target, { deadLetterQueue: this.failedCommands }),
    );
    allow(fn, { actions: ['sqs:SendMessage'], resources: [this.failedCommands.queueArn] });
    fn.target.configureAsyncInvoke({
      maxEventAge: COMMAND_AGE_MAX,
      retryAttempts: COMMAND_RETRIES_MAX,
      onFailure: { bind: () => ({ destination: this.failedCommands.queueArn }) },
    });
  }

  /** Sends an alarm, and its end, to whoever has to hear of it. */
  raise(alarm: Alarm, severity: 'page' | 'notice'): void {
    const action = new SnsAction(severity === 'page' ? this.alertTopic : this.noticeTopic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }

  /**
   * Names who may publish at all; everybody else is denied it, whatever was granted. Alarms come by a
   * service, which is no principal of the account.
   *
   * @param by.commanding ARNs; none: whoever IAM allows it.
   */
  closeTo(by: {
    readonly alerting: readonly BreakwaterFunction[];
    readonly commanding: readonly string[];
  }): void {
    const alerting = by.alerting.map(({ role }) => role.roleArn);
    this.alertTopic.addToResourcePolicy(onlyThese(this.alertTopic, alerting));
    this.noticeTopic.addToResourcePolicy(onlyThese(this.noticeTopic, []));
    if (by.commanding.length === 0) return;
    this.controlTopic.addToResourcePolicy(onlyThese(this.controlTopic, by.commanding));
  }

  #topic(id: string, displayName: string): Topic {
    return new Topic(this, id, { displayName, masterKey: this.#key, enforceSSL: true });
  }

  // A topic with a policy of its own loses the default one, by which alarms may publish. The key's
  // statement has no source condition: an alarm that may not use it goes unheard, and what may be
  // published under it is already decided by the topic's statement.
  #admitAlarms(): void {
    const cloudwatch = new ServicePrincipal('cloudwatch.amazonaws.com');
    for (const topic of [this.alertTopic, this.noticeTopic]) {
      topic.addToResourcePolicy(
        new PolicyStatement({
          sid: 'AlarmsOfThisAccount',
          effect: Effect.ALLOW,
          principals: [cloudwatch],
          actions: ['sns:Publish'],
          resources: [topic.topicArn],
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
        }),
      );
    }
    this.#key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsThroughTopics',
        effect: Effect.ALLOW,
        principals: [cloudwatch],
        actions: TOPIC_KEY_VERBS,
        resources: ['*'],
      }),
    );
  }
}

function onlyThese(topic: Topic, publisherArns: readonly string[]): PolicyStatement {
  const named = { ArnNotEquals: { 'aws:PrincipalArn': [...publisherArns] } };
  return new PolicyStatement({
    sid: 'OnlyNamedPublishers',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['sns:Publish'],
    resources: [topic.topicArn],
    conditions: {
      Bool: { 'aws:PrincipalIsAWSService': 'false' },
      ...(publisherArns.length > 0 && named),
    },
  });
}
