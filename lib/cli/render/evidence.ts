/** The evidence of an incident as files for people. The first thing to read is README.md. */

import { stringify } from '../../adapters/wire/json.ts';
import { priceText } from '../../domain/evidence.ts';
import { formatUsd } from '../../domain/money.ts';
import type { Evidence } from '../answers.ts';
import { clean, shellWord } from './text.ts';
import { span, utc } from './time.ts';

/** A file of a pack. */
export type PackFile = { readonly name: string; readonly text: string };

/** The files of a pack, README.md first. `chain`: an export of the audit chain, where it is signed. */
export function packFiles(evidence: Evidence, chain: string | undefined): readonly PackFile[] {
  const page = (name: string, lines: readonly string[]) => ({
    name,
    text: `${lines.join('\n')}\n`,
  });
  const { policy } = evidence;
  return [
    page('README.md', readme(evidence, chain !== undefined)),
    page('timeline.md', timeline(evidence)),
    page('money.md', money(evidence)),
    page('post-mortem.md', postMortem(evidence)),
    ...(policy.source === '' ? [] : [{ name: 'policy.yaml', text: policy.source }]),
    ...(chain === undefined ? [] : [{ name: 'audit.jsonl', text: chain }]),
    { name: 'evidence.json', text: `${stringify(evidence, 2)}\n` },
  ];
}

/** A text of somebody else's making within Markdown: no table, heading, link or markup of its own. */
export function cell(text: string): string {
  return clean(text).replaceAll(/[\\`*_[\]<>|#]/g, (mark) => `\\${mark}`);
}

function code(text: string): string {
  return `\`${clean(text).replaceAll('`', "'")}\``;
}

function unmatchedOf({ causes }: Evidence) {
  return causes.filter(({ kind }) => kind === 'unmatched');
}

/** micro-USD of the outflows that nobody approved, as far as their rows are here. */
function unapproved({ rows }: Evidence): bigint {
  const lost = rows.filter(({ state }) => state === 'unmatched');
  return lost.reduce((sum, { notional }) => sum + notional, 0n);
}

function readme(evidence: Evidence, hasChain: boolean): readonly string[] {
  const { incident, causes, atMs, policy } = evidence;
  const { first } = incident;
  const isOpen = incident.state === 'open';
  const state = isOpen
    ? `**STILL PAUSED**, since ${utc(incident.openedAtMs)} (${span(atMs - incident.openedAtMs)})`
    : `resumed ${utc(incident.closed?.atMs ?? atMs)} by ${cell(incident.closed?.actor ?? 'unknown')}: ${cell(incident.closed?.reason ?? '')}`;
  return [
    `# Incident ${incident.incidentId}`,
    '',
    `- **What:** ${cell(first.text)}`,
    `- **Where:** ${code(incident.scope)}`,
    `- **State:** ${state}`,
    `- **Size of the first event:** ${formatUsd(first.notional)}`,
    `- **Causes:** ${causes.length}, of these ${unmatchedOf(evidence).length} outflows that nobody approved`,
    `- **Left without approval, as named here:** ${formatUsd(unapproved(evidence))}`,
    `- **Policy:** version ${policy.version}${policy.hash === '' ? '' : `, ${code(policy.hash)}`}`,
    '',
    ...(isOpen ? now(evidence) : []),
    ...call(evidence),
    '## What is in this folder',
    '',
    '| file | what |',
    '|---|---|',
    '| timeline.md | who did what, when; from the audit chain |',
    '| money.md | withdrawals and outflows involved, limits, prices |',
    '| post-mortem.md | a draft to fill in |',
    ...(policy.source === '' ? [] : ['| policy.yaml | the policy under which it opened |']),
    ...(hasChain
      ? ['| audit.jsonl | the signed audit chain: `breakwater audit verify audit.jsonl` |']
      : []),
    '| evidence.json | all of it, for programs |',
    '',
    '## What is not in this folder',
    '',
    ...notHere(evidence, hasChain),
    '',
    `Taken ${utc(atMs)}. What happened later is not here.`,
  ];
}

function now(evidence: Evidence): readonly string[] {
  const { incident } = evidence;
  const isLeak = unmatchedOf(evidence).length > 0;
  return [
    '## Now',
    '',
    ...(isLeak
      ? [
          '1. A pause does not stop somebody who holds the private keys: move what is left to safety first.',
          '2. Call whoever can freeze the stolen assets, below, with the transactions of money.md.',
        ]
      : [
          '1. Is what is in money.md your own business? Ask whoever runs withdrawals.',
          `2. See how full the limits are: ${code(`breakwater limits --scope ${shellWord(incident.scope)}`)}`,
        ]),
    `3. What stops what, since when: ${code('breakwater status')}`,
    `4. Only when you know the cause: ${code(`breakwater resume ${incident.incidentId} --reason "…"`)}`,
    '',
  ];
}

function call({ contacts, rows }: Evidence): readonly string[] {
  const assets = new Set(rows.flatMap(({ transfer }) => (transfer ? [transfer.asset] : [])));
  const touches = (named: readonly string[] | undefined) =>
    named === undefined || named.some((asset) => assets.has(asset));
  const sorted = [...contacts].sort(
    (one, other) => Number(touches(other.assets)) - Number(touches(one.assets)),
  );
  return [
    '## Who to call',
    '',
    ...(sorted.length === 0
      ? ['The policy names nobody (`contacts`). Write down whom you called, and when.']
      : [
          '| who | what | how | for the assets of this incident |',
          '|---|---|---|---|',
          ...sorted.map(
            ({ name, kind, reach, assets: named }) =>
              `| ${cell(name)} | ${cell(kind)} | ${cell(reach)} | ${touches(named) ? 'yes' : 'no'} |`,
          ),
        ]),
    '',
  ];
}

function notHere({ cutOff, seal, entries }: Evidence, hasChain: boolean): readonly string[] {
  const waiting = entries.filter(({ sequence }) => sequence === undefined).length;
  const unsigned = entries.filter(
    ({ sequence }) => sequence !== undefined && sequence > (seal?.sequence ?? 0),
  ).length;
  const lines = [
    ...cutOff,
    ...(waiting > 0
      ? [`${waiting} of the entries of the timeline are not in the audit chain yet`]
      : []),
    ...(unsigned > 0 ? [`the signature over the newest ${unsigned} links of the timeline`] : []),
    ...(hasChain ? [] : ['the audit chain: it has no signed end yet']),
  ];
  return lines.length === 0 ? ['Nothing was left out.'] : lines.map((line) => `- ${cell(line)}`);
}

function timeline({ incident, entries, seal }: Evidence): readonly string[] {
  return [
    `# Timeline of incident ${incident.incidentId}`,
    '',
    'Times are UTC. The number is the link of the audit chain; *waiting*: not in the chain yet; *unsigned*: after its newest signed end.',
    '',
    '| time | link | who | what | why |',
    '|---|---|---|---|---|',
    ...entries.map(({ sequence, entry }) => {
      const place =
        sequence === undefined
          ? '*waiting*'
          : `${sequence}${sequence > (seal?.sequence ?? 0) ? ' *unsigned*' : ''}`;
      return `| ${utc(entry.atMs)} | ${place} | ${cell(entry.who)} | ${cell(entry.what)}: ${cell(entry.after)} | ${cell(entry.reason)} |`;
    }),
    '',
    ...(seal
      ? [
          `Signed up to link ${seal.sequence}, hash ${code(seal.hash)}, by key ${code(seal.jwk.kid)}.`,
        ]
      : ['No end of the chain is signed yet.']),
  ];
}

const MATCHED: ReadonlySet<string> = new Set(['matched', 'moved', 'kept']);

function money(evidence: Evidence): readonly string[] {
  const { incident, rows, limits } = evidence;
  const moved = rows.filter(({ transfer }) => transfer !== undefined);
  const groups = [
    ['Outflows that nobody approved', moved.filter(({ state }) => state === 'unmatched')],
    ['Matched with an approval', moved.filter(({ state }) => MATCHED.has(state))],
    [
      'Approved, reserved, or otherwise known',
      moved.filter(({ state }) => state !== 'unmatched' && !MATCHED.has(state)),
    ],
  ] as const;
  return [
    `# Money of incident ${incident.incidentId}`,
    '',
    ...groups.flatMap(([title, of]) => [`## ${title}`, '', ...moneyTable(of), '']),
    '## Limits that were crossed',
    '',
    ...(limits.length === 0
      ? ['None.']
      : [
          '| limit | metric | value | allowed |',
          '|---|---|---|---|',
          ...limits.map(
            (limit) =>
              `| ${cell(limit.limitId)} | ${cell(limit.metric)} | ${cell(limit.usedText)} | ${cell(limit.allowedText)} |`,
          ),
        ]),
    '',
    '## Other rows',
    '',
    ...otherRows(rows),
  ];
}

function otherRows(rows: Evidence['rows']): readonly string[] {
  const others = rows.filter(({ transfer }) => transfer === undefined);
  if (others.length === 0) return ['None.'];
  return others.map(({ rowId, state, note }) => `- ${code(rowId)} (${state}): ${cell(note ?? '')}`);
}

function moneyTable(rows: Evidence['rows']): readonly string[] {
  if (rows.length === 0) return ['None.'];
  return [
    '| time | amount | size | from | to | row | price | matched with |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(({ atMs, amountText, notional, transfer, rowId, prices, link, sent }) => {
      const memo = transfer?.memo === undefined ? '' : ` memo ${cell(transfer.memo)}`;
      const priced = prices.map(({ pricePicoUsd }) => priceText(pricePicoUsd)).join(', ');
      const row = `${code(rowId)}${sent === undefined ? '' : `, sent ${code(sent)}`}`;
      return `| ${utc(atMs)} | ${cell(amountText)} | ${formatUsd(notional)} | ${code(transfer?.account ?? '')} | ${code(transfer?.destination ?? '')}${memo} | ${row} | ${priced || 'none: charged elsewhere'} | ${link === undefined ? '' : code(link)} |`;
    }),
  ];
}

/** What only people can fill in. */
const LESSONS: readonly string[] = [
  '## What went well, what did not',
  '',
  '_Was the page read in time? Was the limit right? Who was called when?_',
  '',
  '## What we change',
  '',
  '| what | who | until |',
  '|---|---|---|',
  '| | | |',
];

function postMortem(evidence: Evidence): readonly string[] {
  const { incident, causes, rows } = evidence;
  const { closed, openedAtMs } = incident;
  const lost = rows.filter(({ state }) => state === 'unmatched');
  const lasted = closed ? span(closed.atMs - openedAtMs) : 'not over';
  return [
    `# Post-mortem of incident ${incident.incidentId} (draft)`,
    '',
    '## Summary',
    '',
    `On ${utc(openedAtMs)} withdrawals of ${code(incident.scope)} were stopped: ${cell(incident.first.text)}. Duration: ${lasted}.`,
    '',
    '_What happened, in three sentences that a customer understands._',
    '',
    '## Impact',
    '',
    `- Outflows that nobody approved, as far as named here: ${lost.length}, ${formatUsd(unapproved(evidence))}`,
    '- Customers who waited: _how many, how long_',
    '- Recovered or frozen: _how much, by whom_',
    '',
    '## Causes as recorded',
    '',
    ...causes.map(
      ({ atMs, kind, text }, at) => `${at + 1}. ${utc(atMs)}, ${cell(kind)}: ${cell(text)}`,
    ),
    '',
    '## Root cause',
    '',
    '_Why could it happen? Why was it not found before?_',
    '',
    '## How it ended',
    '',
    closed
      ? `Resumed ${utc(closed.atMs)} by ${cell(closed.actor)}: ${cell(closed.reason)}`
      : '_Not resumed yet._',
    '',
    ...LESSONS,
  ];
}
