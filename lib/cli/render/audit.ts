/** What verifying and comparing the audit chain found. */

import type * as z from 'zod/mini';
import type { Verdict } from '../../domain/audit-export.ts';
import type { AUDIT_CHECK } from '../answers.ts';
import { clean, plural } from './text.ts';
import { utc } from './time.ts';

/** Ids that are named; more are counted. */
const NAMED_MAX = 10;

/** A verdict on an export. `trusted` absent: nobody has vouched for the key. */
export function verdictText(
  verdict: Verdict,
  file: string,
  trusted?: readonly string[],
): readonly string[] {
  if (verdict.kind === 'broken') {
    return [`BROKEN ${clean(file)} at line ${verdict.row}: ${clean(verdict.why)}.`];
  }
  const { head, issuer, kid, signedAtS } = verdict;
  return [
    `WHOLE ${clean(file)}: ${plural(head.sequence, 'link')} of ${clean(issuer)}, signed ${utc(signedAtS * 1_000)}.`,
    trusted
      ? `Signed by the trusted key ${kid}.`
      : `Signed by the key ${kid}, which is the one in the file: compare it with the one that you have kept, or give it with --jwks.`,
  ];
}

/** What comparing the chain with the tables found. */
export function checkedText(checked: z.output<typeof AUDIT_CHECK>): readonly string[] {
  const { links, isWhole, missing, unfounded, differsAt, waiting, truncated } = checked;
  return [
    isWhole
      ? `WHOLE: rebuilt from the Control table, the ${plural(links, 'link')} are the stored ones, byte for byte.`
      : `DRIFT: the stored chain of ${plural(links, 'link')} is not what the Control table says.`,
    ...(differsAt === undefined ? [] : [`Link ${differsAt} is the first that differs.`]),
    ...listed('Facts that are in no link (seconds old ones may be under way)', missing),
    ...listed('Links without a fact', unfounded.map(String)),
    ...(waiting > 0 ? [`${waiting} entries wait to be appended.`] : []),
    ...(truncated ? [`There are more links; only the first ${links} were compared.`] : []),
  ];
}

function listed(label: string, ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return [];
  const more = ids.length > NAMED_MAX ? `, and ${ids.length - NAMED_MAX} more` : '';
  return [`${label}: ${ids.slice(0, NAMED_MAX).map(clean).join(', ')}${more}.`];
}
