import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ENV } from '../runtime/environment.ts';
import type { BreakwaterFunction } from './breakwater-function.ts';
import { allowTable } from './table-access.ts';
import { keptTable } from './table-key.ts';

/** Partition keys that `tick` writes; the heartbeat is written where it arrives. */
const TICK_KEYS = ['leases'] as const;

/** What the flag is read from; the ledger rows beside it name customers. */
const FLAG_KEYS = ['item#*', 'leases'] as const;

// TransactWriteItems is authorised by the verbs of the writes inside it.
const DECIDE_VERBS = ['BatchGetItem', 'ConditionCheckItem', 'GetItem', 'PutItem', 'UpdateItem'];

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
  }

  /** Read, charge and trip: for functions that decide. Nothing is ever deleted or scanned. */
  grantDecide(fn: BreakwaterFunction): void {
    this.#grant(fn, { verbs: DECIDE_VERBS });
  }

  /** See the proofs of health and renew the leases: for `tick`, which writes nothing else. */
  grantRenewLeases(fn: BreakwaterFunction): void {
    this.#grant(fn, { verbs: ['BatchGetItem', 'GetItem'] });
    this.#grant(fn, { verbs: ['PutItem', 'UpdateItem'], partitionKeys: TICK_KEYS });
  }

  /** See meters, breakers and leases, and no ledger row: for withdrawal services, which write nothing. */
  grantReadFlag(grantee: IGrantable): void {
    const verbs = ['BatchGetItem', 'GetItem'];
    allowTable(grantee, { table: this.table, key: this.#key, verbs, partitionKeys: FLAG_KEYS });
  }

  #grant(
    fn: BreakwaterFunction,
    access: { readonly verbs: readonly string[]; readonly partitionKeys?: readonly string[] },
  ): void {
    allowTable(fn, { table: this.table, key: this.#key, ...access });
    fn.setEnvironment(ENV.ledgerTable, this.table.tableName);
  }
}
