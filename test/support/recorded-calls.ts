/** Writes down what a function asks of DynamoDB, on its way to the engine: verb, table and partition key. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Permission } from '../../lib/infra/permission-table.ts';

/** One thing that IAM would be asked about. */
export type Call = {
  readonly who: string;
  readonly verb: string;
  readonly table: string;
  readonly key: string;
};

type Json = Readonly<Record<string, unknown>>;
type Named = { readonly TableName: string; readonly IndexName?: string };
type Keyed = { readonly pk?: { readonly S?: string } };

/** Starts a recorder in front of an engine. */
export async function startRecorder(engine: string, who: string) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const target = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    calls.push(...callsOf(target, JSON.parse(body.toString())).map((call) => ({ who, ...call })));
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      name === 'host' || name === 'connection' || value === undefined
        ? []
        : [[name, String(value)] as [string, string]],
    );
    const answer = await fetch(engine, { method: 'POST', headers, body });
    const { date = '' } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, { date, 'content-type': 'application/x-amz-json-1.0' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { endpoint: `http://127.0.0.1:${port}`, calls, stop };
}

function callsOf(target: string, input: Json): readonly Omit<Call, 'who'>[] {
  const one = (verb: string, of: Named, key: Keyed | undefined) => {
    const index = of.IndexName === undefined ? '' : `/index/${of.IndexName}`;
    return { verb, table: `${of.TableName}${index}`, key: key?.pk?.S ?? '' };
  };
  switch (target) {
    case 'TransactWriteItems':
      return (input.TransactItems as readonly Record<string, never>[]).flatMap((item) =>
        Object.entries(item).map(([kind, write]) => {
          const { Item, Key, ...named } = write as Named & { Item?: Keyed; Key?: Keyed };
          return one(`${kind}Item`, named, Item ?? Key);
        }),
      );
    case 'BatchGetItem':
      return Object.entries(
        input.RequestItems as Record<string, { Keys: readonly Keyed[] }>,
      ).flatMap(([TableName, { Keys }]) => Keys.map((key) => one(target, { TableName }, key)));
    case 'Query': {
      const values = input.ExpressionAttributeValues as Record<string, { S?: string }>;
      return [one(target, input as unknown as Named, { pk: values[':pk'] ?? {} })];
    }
    default: {
      const { Item, Key } = input as { Item?: Keyed; Key?: Keyed };
      return [one(target, input as unknown as Named, Item ?? Key)];
    }
  }
}

/** Whether the grants allow a call and no table denies it, as IAM would judge it. */
export function isAllowed(
  call: Call,
  policies: { readonly granted: readonly Permission[]; readonly byResource: readonly Permission[] },
): boolean {
  const covers = (one: Permission) =>
    one.on === call.table && one.verbs.includes(`dynamodb:${call.verb}`);
  const grant = policies.granted.some(
    (one) =>
      one.who === call.who &&
      covers(one) &&
      (one.condition === '' || keysOf(one.condition).some((key) => matches(key, call.key))),
  );
  const denial = policies.byResource.some((one) => {
    const [keys = '', writers = ''] = one.condition.split('; unless aws:PrincipalArn ');
    const isKey = keysOf(keys).some((key) => matches(key, call.key));
    return one.effect === 'Deny' && covers(one) && isKey && !keysOf(writers).includes(call.who);
  });
  return grant && !denial;
}

function keysOf(text: string): readonly string[] {
  return text.replaceAll('`', '').split(' ');
}

function matches(pattern: string, key: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : pattern === key;
}
