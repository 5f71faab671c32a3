import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { Breakwater, type BreakwaterProps } from '../../lib/infra/breakwater.ts';

type Resource = {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
};

/** The stack as `bin/app.ts` makes it, with the context of `cdk.json`, without bundling. */
export function makeStack(props: BreakwaterProps = {}) {
  const path = join(import.meta.dirname, '..', '..', 'cdk.json');
  const { context } = JSON.parse(readFileSync(path, 'utf8'));
  const app = new App({ context: { ...context, [BUNDLING_STACKS]: [] } });
  const stack = new Stack(app, 'Breakwater', { terminationProtection: true });
  return { app, stack, breakwater: new Breakwater(stack, 'Breakwater', props) };
}

/** The template of `makeStack`. */
export function synthesized(props: BreakwaterProps = {}): Template {
  return Template.fromStack(makeStack(props).stack);
}

/** Every resource of a type, by its readable name. */
export function resourcesOf(template: Template, type: string): Readonly<Record<string, Resource>> {
  const found = Object.entries(template.findResources(type));
  return Object.fromEntries(found.map(([id, value]) => [nameOf(id), value as Resource]));
}

/** A logical id without the construct's prefix and the hash at its end. */
function nameOf(logicalId: string): string {
  return logicalId.replace(/^Breakwater/, '').replace(/[0-9A-F]{8}$/, '');
}

/** A value of the template in short: references as `Name` or `Name.Attribute`, joins as text. */
export function shortOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(shortOf).join(' ');
  if (typeof value !== 'object' || value === null) return String(value);
  const [[fn, argument]] = Object.entries(value) as [[string, unknown]];
  if (fn === 'Ref') return nameOf(String(argument));
  if (fn === 'Fn::GetAtt') {
    const [id, attribute] = argument as [string, string];
    return attribute === 'Arn' ? nameOf(id) : `${nameOf(id)}.${attribute}`;
  }
  if (fn === 'Fn::Join') return (argument as [string, unknown[]])[1].map(shortOf).join('');
  return Object.entries(value)
    .map(([key, part]) => `${key}=${shortOf(part)}`)
    .join(' ');
}

/** The statements of a policy document, one line each: verbs, resource, condition. */
export function linesOf(document: unknown): readonly string[] {
  const { Statement } = document as { Statement: readonly Readonly<Record<string, unknown>>[] };
  return Statement.map((statement) => {
    const who = statement.Principal === undefined ? '' : ` by ${shortOf(statement.Principal)}`;
    const on = statement.Resource === undefined ? '' : ` on ${shortOf(statement.Resource)}`;
    const when = statement.Condition === undefined ? '' : ` if ${shortOf(statement.Condition)}`;
    const effect = statement.Effect === 'Allow' ? '' : `${statement.Effect} `;
    return `${effect}${shortOf(statement.Action)}${on}${who}${when}`;
  });
}
