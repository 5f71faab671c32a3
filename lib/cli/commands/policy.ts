/** `breakwater policy check|diff|apply|show`: the rules, before and while they are in force. */

import type { Command } from 'commander';
import type { Policy } from '../../domain/policy.ts';
import { diffPolicies, type Outlook } from '../policy-diff.ts';
import { readInForce, readPolicyFile, type Sourced } from '../policy-source.ts';
import { consentText, diffLines, nextCommand, outlookLines } from '../render/policy-diff.ts';
import { clean, fact, plural } from '../render/text.ts';
import type { Run, Session } from '../session.ts';
import { addPolicyApply } from './policy-apply.ts';
import { addPolicyShow } from './policy-show.ts';
import { addPolicyPropose } from './propose.ts';

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
      'Shows what a policy would change: what each change does (loosens, revokes, tightens, neutral) and why, and whether it applies at once, needs several operators and a delay, or is refused whoever agrees. Only rules are compared, not comments or layout.',
    )
    .action((file: string, options: { readonly against?: string }, command: Command) =>
      run(command, (session) => diff(session, file, options.against)),
    );
  addPolicyApply(policy, run);
  addPolicyPropose(policy, run);
  addPolicyShow(policy, run);
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
    ...resumeLines(policy, { columns }),
    ...fact('Holds', parts.join(', '), { columns }),
    ...fact('Hash', hash.slice(0, 12), { columns }),
  ]);
}

/** Who may resume, and what it takes to change this policy once it is in force. */
function resumeLines(
  { resume, changes, operators }: Policy,
  layout: { readonly columns: number },
): readonly string[] {
  const { steps } = resume;
  const how = steps.length === 0 ? 'at once' : `in ${plural(steps.length, 'step')}`;
  if (resume.kind === 'trial') {
    return fact('Resume', `trial: one operator alone can resume, ${how}`, layout);
  }
  const signers = operators.filter(({ roles }) => roles.includes('resume')).length;
  const { quorum } = resume;
  const { delayMs } = changes;
  const taking = consentText({ quorum, delayMs: 0 });
  const loosening = `what loosens it takes ${consentText({ quorum, delayMs })}, what takes rights from people ${taking} (policy propose); all else applies at once`;
  return [
    ...fact('Resume', `${quorum} of ${plural(signers, 'operator')} have to sign; ${how}`, layout),
    ...fact('Changes', loosening, layout),
  ];
}

async function diff(
  session: Session,
  file: string,
  against: string | undefined,
): Promise<undefined> {
  const next = await readPolicyFile(session, file);
  const before = await compareWith(session, against);
  if (!before) {
    const outlook: Outlook = { kind: 'at-once', trial: false };
    if (session.json) session.printJson({ before: null, after: next.hash, changes: [], outlook });
    else
      session.print(['No policy is in force yet: all of this file is new, and applies at once.']);
    return;
  }
  const found = diffPolicies({ before: before.policy, after: next.policy }, session.io.nowMs());
  if (session.json) {
    session.printJson({ before: before.hash, after: next.hash, ...found });
    return;
  }
  const { changes, outlook } = found;
  session.print([`${clean(before.label)} → ${clean(next.label)}`, '']);
  session.print(changes.length > 0 ? diffLines(found, session) : [sameRules(before, next)]);
  if (before.source === next.source) return;
  const command = nextCommand(outlook, file);
  session.print(['', ...outlookLines(outlook, session), ...(command ? [`  ${command}`] : [])]);
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
