/**
 * Who may do what, read out of a synthesized template: every statement of every role, policy to hand
 * out, table, topic, bus and key. What CloudFormation will make is what is shown; nothing is repeated
 * from the constructs.
 */

type Json = Readonly<Record<string, unknown>>;
/** A synthesized template, as far as it is read here. */
export type CfnTemplate = {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Json }>
  >;
};
type Statement = Readonly<{
  Effect: string;
  Action: unknown;
  Resource?: unknown;
  Principal?: unknown;
  Condition?: Json;
}>;

/** One line: who, on what, which keys or other condition, which verbs. */
export type Permission = {
  readonly who: string;
  readonly effect: 'Allow' | 'Deny';
  readonly on: string;
  readonly condition: string;
  readonly verbs: readonly string[];
};

/** Resources that carry a policy of their own, with the property that holds it. */
const OWN_POLICIES: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'ResourcePolicy',
  'AWS::SNS::TopicPolicy': 'PolicyDocument',
  'AWS::SQS::QueuePolicy': 'PolicyDocument',
  'AWS::KMS::Key': 'KeyPolicy',
};

/** Every permission of a template, of IAM first, then of the resources' own policies. */
export function permissionsOf(template: CfnTemplate): {
  readonly granted: readonly Permission[];
  readonly byResource: readonly Permission[];
} {
  const resources = Object.entries(template.Resources);
  const granted = resources.flatMap(([id, { Type, Properties = {} }]) => {
    if (Type !== 'AWS::IAM::Policy' && Type !== 'AWS::IAM::ManagedPolicy') return [];
    const roles = (Properties.Roles as readonly unknown[] | undefined) ?? [];
    const who = roles.length > 0 ? roles.map(textOf).map(roleName).join(' ') : nameOf(id);
    return statementsOf(Properties.PolicyDocument).map((one) => toPermission(one, { who }));
  });
  const byResource = resources.flatMap(([id, { Type, Properties = {} }]) => {
    const property = OWN_POLICIES[Type];
    if (property === undefined) return [];
    const own = Properties[property] as Json | undefined;
    const document = own?.PolicyDocument ?? own;
    return statementsOf(document).map((one) => toPermission(one, { on: nameOf(id) }));
  });
  return { granted: granted.sort(byText), byResource };
}

/** The page of it, in Markdown. */
export function permissionsPage(template: CfnTemplate): string {
  const { granted, byResource } = permissionsOf(template);
  const isTable = ({ on }: Permission) => /^(Ledger|Control)Table/.test(on);
  const line = ({ who, on, condition, verbs, effect }: Permission) =>
    `| ${who} | ${on} | ${condition || 'all'} | ${effect === 'Deny' ? '**deny** ' : ''}${verbs.join(' ')} |`;
  const table = (head: string, rows: readonly Permission[]) => [
    `| ${head} | on | keys, or other condition | verbs |`,
    '|---|---|---|---|',
    ...rows.map(line),
    '',
  ];
  const named = byResource.filter(({ on }) => !on.includes('Queue') && !isQueue(on));
  return [
    '## Role × table × action',
    '',
    ...table('role or policy', granted.filter(isTable)),
    '## What the tables themselves deny and open',
    '',
    ...table('principals', named.filter(isTable)),
    '## Everything else that roles and policies may do',
    '',
    ...table(
      'role or policy',
      granted.filter((one) => !isTable(one)),
    ),
    "## Topics' and keys' own policies",
    '',
    ...table(
      'principals',
      named.filter((one) => !isTable(one)),
    ),
  ].join('\n');
}

// Queues' own policies demand TLS and admit one rule or topic each; the constructs' tests show them.
function isQueue(on: string): boolean {
  return /(Events|DeadLetters|Rejects|Failed\w+)Policy$/.test(on);
}

function statementsOf(document: unknown): readonly Statement[] {
  return ((document as Json | undefined)?.Statement as readonly Statement[] | undefined) ?? [];
}

function toPermission(
  statement: Statement,
  known: { readonly who?: string; readonly on?: string },
): Permission {
  const { Effect, Action, Resource, Principal, Condition = {} } = statement;
  const conditions = Object.entries(Condition).map(([operator, about]) => {
    const parts = Object.entries(about as Json).map(([key, value]) => {
      const values = listOf(value).map(textOf).map(roleName).sort();
      const short = key === 'dynamodb:LeadingKeys' ? '' : `${key} `;
      return `${short}${values.map((one) => `\`${one}\``).join(' ')}`;
    });
    const isNot = operator.includes('NotEquals');
    return `${isNot ? 'unless ' : ''}${parts.join(', ')}`;
  });
  return {
    who: known.who ?? principalOf(Principal),
    effect: Effect === 'Deny' ? 'Deny' : 'Allow',
    on: known.on ?? listOf(Resource).map(textOf).join(' '),
    condition: conditions.join('; '),
    verbs: listOf(Action).map(String).sort(),
  };
}

function principalOf(principal: unknown): string {
  if (typeof principal !== 'object' || principal === null) return textOf(principal);
  return Object.values(principal)
    .flatMap((value) => listOf(value))
    .map(textOf)
    .join(' ');
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** References as their readable name, joins as text. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[fn, argument] = ['', '']] = Object.entries(value);
  if (fn === 'Ref') return nameOf(String(argument));
  if (fn === 'Fn::GetAtt') {
    const [id = '', attribute = ''] = argument as readonly string[];
    return attribute === 'Arn' ? nameOf(id) : `${nameOf(id)}.${attribute}`;
  }
  if (fn === 'Fn::Join') {
    const [, parts = []] = argument as readonly [string, readonly unknown[]];
    return parts.map(textOf).join('');
  }
  return JSON.stringify(value);
}

/** A logical id without the construct's prefix and the hash at its end; a pseudo parameter in braces. */
function nameOf(logicalId: string): string {
  if (logicalId.startsWith('AWS::')) return `{${logicalId.slice('AWS::'.length)}}`;
  return logicalId.replace(/^Breakwater/, '').replace(/[0-9A-F]{8}$/, '');
}

/** The role of a function by the function's name: `IngestEventsRole` → `ingest-events`. */
function roleName(text: string): string {
  const [, name] = /^(?:Webhooks|Watch)?([A-Z]\w+?)Role$/.exec(text) ?? [];
  return name === undefined ? text : name.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();
}

function byText(left: Permission, right: Permission): number {
  return textKey(left) < textKey(right) ? -1 : 1;
}

function textKey({ who, on, condition, verbs }: Permission): string {
  return [who, on, condition, ...verbs].join('|');
}
