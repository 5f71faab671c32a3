/** `breakwater policy check|diff|apply|show`: the rules, before and while they are in force. */

import type { Command } from 'commander';
import { POLICY } from '../answers.ts';
import { ask } from '../ask.ts';
import { diffPolicies } from '../policy-diff.ts';
import { doubtsOf, readInForce, readPolicyFile, type Sourced } from '../policy-source.ts';
import { diffLines } from '../render/policy-diff.ts';
import { clean, fact, plural } from '../render/text.ts';
import type { Run, Session } from '../session.ts';
import { applyPolicy } from './policy-apply.ts';

/** Adds the group. */
export function addPolicy(program: Command, run: Run): void {
  const policy = program
    .command('policy')
    .summary('check, compare and apply the rules')
    .description(
      'Works on policy files (YAML or JSON; every field is described in docs/policy.md).',
    );
  policy
    .command('check')
    .argument('<file>', 'a policy file, or - for standard input')
    .description('Says what is wrong with a policy file, with line and field. Works offline.')
    .action((file: string, _options: unknown, command: Command) =>
      run(command, (session) => check(session, file)),
    );
  policy
    .command('diff')
    .argument('<file>', 'the new policy')
    .option('--against <file>', 'compare with this file instead of the policy in force (offline)')
    .description(
      'Shows what a policy would change, and which changes are LOOSER: let more money leave, or make resuming easier. Only rules are compared, not comments or layout.',
    )
    .action((file: string, options: { readonly against?: string }, command: Command) =>
      run(command, (session) => diff(session, file, options.against)),
    );
  policy
    .command('apply')
    .argument('<file>', 'the new policy')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .description('Shows what would change, asks, and puts the policy in force at once.')
    .action((file: string, options: { readonly yes?: boolean }, command: Command) =>
      run(command, (session) => applyPolicy(session, file, options)),
    );
  policy
    .command('show')
    .description(
      'Prints the text of the policy in force, and warns if the service decides by anything else.',
    )
    .action((_options: unknown, command: Command) => run(command, show));
}

async function check(session: Session, file: string): Promise<undefined> {
  const { policy, hash } = await readPolicyFile(session, file);
  const { name, mode, limits, wallets, assets, chains } = policy;
  if (session.json) {
    session.printJson({ ok: true, name, mode, hash, resume: policy.resume.kind });
    return;
  }
  const { paint, columns } = session;
  const parts = [
    plural(limits.length, 'limit'),
    plural(wallets.length, 'wallet'),
    plural(assets.length, 'asset'),
    plural(chains.length, 'chain'),
  ];
  session.print([
    `${paint.green('VALID')} ${clean(file)}: policy ${clean(name)}`,
    ...fact('Mode', mode === 'shadow' ? 'shadow: reports, stops nothing' : 'enforce', { columns }),
    ...fact('Resume', resumeText(policy.resume.kind), { columns }),
    ...fact('Holds', parts.join(', '), { columns }),
    ...fact('Hash', hash.slice(0, 12), { columns }),
  ]);
}

function resumeText(resume: 'trial' | 'quorum'): string {
  return resume === 'trial'
    ? 'trial: one operator alone can resume'
    : 'quorum: `apply` refuses it, since this version has no ceremony for several operators';
}

async function diff(
  session: Session,
  file: string,
  against: string | undefined,
): Promise<undefined> {
  const next = await readPolicyFile(session, file);
  const before = await compareWith(session, against);
  if (!before) {
    if (session.json) session.printJson({ before: null, after: next.hash, changes: [] });
    else session.print(['No policy is in force yet: everything in this file would be new.']);
    return;
  }
  const changes = diffPolicies(before.policy, next.policy);
  if (session.json) {
    session.printJson({ before: before.hash, after: next.hash, changes });
    return;
  }
  session.print([`${clean(before.label)} → ${clean(next.label)}`, '']);
  session.print(changes.length > 0 ? diffLines(changes, session) : [sameRules(before, next)]);
}

async function compareWith(
  session: Session,
  against: string | undefined,
): Promise<Sourced | undefined> {
  if (against !== undefined) return readPolicyFile(session, against);
  return (await readInForce(await session.connect())).sourced;
}

function sameRules(before: Sourced, next: Sourced): string {
  return before.source === next.source
    ? 'The same text.'
    : 'The same rules; only comments or layout differ.';
}

async function show(session: Session): Promise<undefined> {
  const transport = await session.connect();
  const { value, raw } = await ask(transport, { command: 'policy.show' }, POLICY);
  if (session.json) session.printJson(raw);
  else if (value.source === undefined) session.warn('No policy is in force yet.');
  else session.io.stdout.write(value.source.endsWith('\n') ? value.source : `${value.source}\n`);
  for (const doubt of doubtsOf(value)) session.warn(doubt);
}
