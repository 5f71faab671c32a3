/**
 * The names of the environment variables that constructs set and functions read.
 * Both sides import these constants, so a name cannot drift between them.
 */
export const ENV = {
  ledgerTable: 'LEDGER_TABLE',
  controlTable: 'CONTROL_TABLE',
  eventBusName: 'EVENT_BUS_NAME',
  eventsQueueUrl: 'EVENTS_QUEUE_URL',
  eventsDlqUrl: 'EVENTS_DLQ_URL',
  rejectQueueUrl: 'REJECT_QUEUE_URL',
  failedProjectionsUrl: 'FAILED_PROJECTIONS_URL',
  failedCommandsUrl: 'FAILED_COMMANDS_URL',
  operateUrl: 'OPERATE_URL',
  drillObjectiveMs: 'DRILL_OBJECTIVE_MS',
  alertTopicArn: 'ALERT_TOPIC_ARN',
  /** Which Breakwater of the account this is: the dimension `service` of its metrics. */
  cellName: 'BREAKWATER_CELL',
  tickLoopMs: 'TICK_LOOP_MS',
  admissionKeyId: 'ADMISSION_KEY_ID',
  /** Keys that are published beside the one that signs, separated by commas; may be absent or empty. */
  admissionPublishedKeyIds: 'ADMISSION_PUBLISHED_KEY_IDS',
  admissionIssuer: 'ADMISSION_ISSUER',
  admissionAudience: 'ADMISSION_AUDIENCE',
  alchemySecretName: 'ALCHEMY_SECRET_NAME',
  fireblocksSecretName: 'FIREBLOCKS_SECRET_NAME',
  genericSecretName: 'GENERIC_SECRET_NAME',
  /** Names the secret of the HTTP price provider; without it the public one is asked. */
  priceSecretName: 'PRICE_SECRET_NAME',
  rpcSecretName: 'RPC_SECRET_NAME',
  /** The key that signs the audit chain, whose chain it is, and the bucket of its copy. */
  auditKeyId: 'AUDIT_KEY_ID',
  auditIssuer: 'AUDIT_ISSUER',
  auditBucket: 'AUDIT_BUCKET',
  dynamodbEndpoint: 'DYNAMODB_ENDPOINT',
} as const;
