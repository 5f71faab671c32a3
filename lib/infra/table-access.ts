import { Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { AccountPrincipal, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { allow } from './allow.ts';

/** A table and the verbs to allow on it. */
export type TableAccess = {
  readonly table: Table;
  readonly key: IKey;
  /** DynamoDB verbs, without the `dynamodb:` prefix. */
  readonly verbs: readonly string[];
  /**
   * Partition keys that the verbs may touch; `*` stands for any run of characters.
   * @default - every partition key
   */
  readonly partitionKeys?: readonly string[];
  /**
   * An index to use the verbs on instead of the table itself.
   * @default - the table
   */
  readonly index?: string;
};

const WRITE_VERBS: ReadonlySet<string> = new Set(['DeleteItem', 'PutItem', 'UpdateItem']);

// DynamoDB decrypts and makes its table keys with the caller's rights. A writer gets what the
// service documents as its minimum, verb by verb; "ReEncrypt*" and "GenerateDataKey*" are spelt out.
const READER_KEY_VERBS = ['kms:Decrypt', 'kms:DescribeKey'];
const WRITER_KEY_VERBS = [
  ...READER_KEY_VERBS,
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/** Gives one way of using a table: its verbs, and its key through DynamoDB only. */
export function allowTable(grantee: IGrantable, access: TableAccess): void {
  const { index, key, partitionKeys, table, verbs } = access;
  allow(grantee, {
    actions: verbs.map((verb) => `dynamodb:${verb}`),
    resources: [index === undefined ? table.tableArn : `${table.tableArn}/index/${index}`],
    ...(partitionKeys === undefined ? {} : onlyThese(partitionKeys)),
  });
  allow(grantee, {
    actions: verbs.some((verb) => WRITE_VERBS.has(verb)) ? WRITER_KEY_VERBS : READER_KEY_VERBS,
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': dynamodbOf(table) } },
  });
}

/** A statement for a table's own policy: principals of other accounts may use these verbs on these keys. */
export function openKeys(to: {
  readonly accountIds: readonly string[];
  readonly verbs: readonly string[];
  readonly partitionKeys: readonly string[];
}): PolicyStatement {
  return new PolicyStatement({
    sid: 'SignerAccountsReadTheFlag',
    principals: to.accountIds.map((id) => new AccountPrincipal(id)),
    actions: to.verbs.map((verb) => `dynamodb:${verb}`),
    resources: ['*'],
    ...onlyThese(to.partitionKeys),
  });
}

/** Lets principals of other accounts use a table's key for reading, through DynamoDB only. */
export function openKey(key: IKey, accountIds: readonly string[]): void {
  const { region, urlSuffix } = Stack.of(key);
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'SignerAccountsReadTheFlag',
      principals: accountIds.map((id) => new AccountPrincipal(id)),
      actions: READER_KEY_VERBS,
      resources: ['*'],
      conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${region}.${urlSuffix}` } },
    }),
  );
}

function onlyThese(partitionKeys: readonly string[]) {
  const isPattern = partitionKeys.some((key) => key.includes('*'));
  const operator = isPattern ? 'ForAllValues:StringLike' : 'ForAllValues:StringEquals';
  return {
    conditions: { [operator]: { 'dynamodb:LeadingKeys': [...partitionKeys] } },
  };
}

function dynamodbOf(table: Table): string {
  const { region, urlSuffix } = Stack.of(table);
  return `dynamodb.${region}.${urlSuffix}`;
}
