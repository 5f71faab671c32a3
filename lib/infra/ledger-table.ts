import { AttributeType, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { allowTable, openKeys, type TableAccess } from './table-access.ts';
import { keptTable } from './table-key.ts';

/** The index that `lib/adapters/dynamodb/keys.ts` names. */
const OPEN_INDEX = 'open-reservations';

/** What the flag is read from; the ledger rows beside it name customers. */
const FLAG_KEYS = ['item#*', 'leases', 'prices'] as const;

/** Rows that decide what operators have signed together: beside `row#*`, so that a denial can name them. */
export const PROPOSAL_ROWS = 'row#proposal:*';

/** What every decision writes: rows, and meters with their breakers. */
const DECISION_KEYS = ['item#*', 'row#*'] as const;

/**
 * The table of ledger rows, match rows, meters with their gates, and leases.
 *
 * One region on purpose: replicas converge later, and a second writer that reads an older
 * meter would hand out the same headroom twice.
 */
export class LedgerTable extends Construct {
  readonly table: Table;
  readonly #key: IKey;

  constructor(scope: Construct, id: string, props: { readonly key: IKey }) {
    super(scope, id);
    this.#key = props.key;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      timeToLiveAttribute: 'expiresAtS',
      ...keptTable(props.key),
    });
    // Sparse: only reservations whose outcome is open. For reports; nothing decides by it.
    this.table.addGlobalSecondaryIndex({
      indexName: OPEN_INDEX,
      partitionKey: { name: 'ro', type: AttributeType.STRING },
      sortKey: { name: 'ra', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }

  /**
   * Read, charge and trip: for functions that decide. Nothing of it is ever deleted or scanned, and
   * TransactWriteItems is authorised by the verbs of the writes inside it.
   *
   * @param keys what `fn` writes besides: partition keys, `*` for any run of characters.
   */
  grantDecide(fn: BreakwaterFunction, keys: readonly string[] = []): void {
    this.#grant(fn, { verbs: ['BatchGetItem', 'GetItem'] });
    this.#grant(fn, { verbs: ['PutItem'], partitionKeys: [...DECISION_KEYS, ...keys] });
  }

  /** List reservations whose outcome is open: for `tick`, which alarms, and `operate-breaker`, which tells. */
  grantListOpen(fn: BreakwaterFunction): void {
    this.#grant(fn, { verbs: ['Query'], index: OPEN_INDEX });
  }

  /** See meters, breakers and leases, and no ledger row: for withdrawal services, which write nothing. */
  grantReadFlag(grantee: IGrantable): void {
    const verbs = ['BatchGetItem', 'GetItem'];
    allowTable(grantee, { table: this.table, key: this.#key, verbs, partitionKeys: FLAG_KEYS });
  }

  /** As `grantReadFlag`, for principals of other accounts, who need IAM of their own as well. */
  openFlagTo(accountIds: readonly string[]): void {
    const verbs = ['BatchGetItem', 'GetItem'];
    this.table.addToResourcePolicy(openKeys({ accountIds, verbs, partitionKeys: FLAG_KEYS }));
  }

  #grant(fn: BreakwaterFunction, access: Omit<TableAccess, 'table' | 'key'>): void {
    allowTable(fn, { table: this.table, key: this.#key, ...access });
    fn.setEnvironment(ENV.ledgerTable, this.table.tableName);
  }
}
