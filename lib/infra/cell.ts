import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

const CONTEXT = 'breakwater:cell';
/** The longest function is called `<cell>-reserve-withdrawal`, and a name has at most 64 characters. */
const NAME = /^[A-Za-z][A-Za-z0-9-]{0,39}$/;

/**
 * Names the cell that everything below a construct belongs to. Several Breakwaters in one account and
 * Region are told apart by it: their functions, buses, key aliases and metrics carry it.
 *
 * @throws {CellNameError}
 */
export function nameCell(scope: Construct, name = Stack.of(scope).stackName): void {
  if (!NAME.test(name)) throw new CellNameError({ name });
  scope.node.setContext(CONTEXT, name);
}

/** The name of the cell that a construct belongs to. */
export function cellOf(scope: Construct): string {
  return String(scope.node.tryGetContext(CONTEXT) ?? Stack.of(scope).stackName);
}

/** A cell cannot be named so. */
export class CellNameError extends Error {
  override readonly name = 'Cell.CellNameError';
  constructor(details: { readonly name: string }) {
    super(
      `cellName "${details.name}": 1 to 40 letters, digits and "-", a letter first; by default it is the stack's name`,
    );
  }
}
