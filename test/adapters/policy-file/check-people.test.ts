import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import { problems, source, told } from './source.ts';

const ADDRESS = (digit: number) => `0x${String(digit).repeat(40)}`;
const person = (name: string, digit: number, more = '') =>
  `{ name: ${name}, address: "${ADDRESS(digit)}", roles: [resume]${more} }`;
const TWO = `operators: [${person('alice', 1)}, ${person('bob', 2)}]`;

const quorum = (resume: string, operators = TWO) =>
  source({ resume: `resume: { ${resume} }`, more: operators });

describe('checkPeople', () => {
  test('default', () => {
    const text = quorum(
      'quorum: 2, budgetUsd: 1000.5, steps: [{ share: 10%, for: 1h, assets: ["eip155:1/*"] }, { share: 12.5%, for: 90m }]',
      `operators: [${person('alice', 1, ', contact: "+41 1", iam: "arn:*:alice"')}, ${person('bob', 2)}]`,
    );
    const { resume, operators, changes, contacts } = parsePolicy(text);
    expect(resume).toEqual({
      kind: 'quorum',
      quorum: 2,
      pauserCounts: false,
      budget: 1_000_500_000n,
      steps: [
        { shareBps: 1_000, forMs: 3_600_000, assets: ['eip155:1/*'] },
        { shareBps: 1_250, forMs: 5_400_000 },
      ],
    });
    expect(operators).toEqual([
      {
        name: 'alice',
        address: ADDRESS(1),
        roles: ['resume'],
        contact: '+41 1',
        iam: 'arn:*:alice',
      },
      { name: 'bob', address: ADDRESS(2), roles: ['resume'] },
    ]);
    expect([changes, contacts]).toEqual([{ delayMs: 86_400_000 }, []]);
  });

  test('behavior: a trial with steps, and people to call', () => {
    const text = source({
      resume: 'resume: { trial: true, budgetUsd: 1, steps: [{ share: 100%, for: 1s }] }',
      more: 'contacts: [{ name: Circle, kind: issuer, assets: ["eip155:*"], reach: "x@y" }]\nchanges: { delay: 0s }',
    });
    const { resume, contacts, changes } = parsePolicy(text);
    expect(resume).toMatchObject({ kind: 'trial', steps: [{ shareBps: 10_000, forMs: 1_000 }] });
    expect(contacts).toEqual([
      { name: 'Circle', kind: 'issuer', assets: ['eip155:*'], reach: 'x@y' },
    ]);
    expect(changes).toEqual({ delayMs: 0 });
  });

  test('args: a quorum just below, at and above what it may be', () => {
    expect(problems(quorum('quorum: 2'))).toBe('ok');
    expect(told({ one: quorum('quorum: 1'), three: quorum('quorum: 3') })).toMatchInlineSnapshot(`
      "one:
      line 4, resume.quorum: "1" is not a number of operators; use a whole number of 2 to 20
      three:
      line 4, resume.quorum: asks for 3 operators with role resume, and operators names 2; add them there"
    `);
  });

  test('error: who resumes', () => {
    expect(
      told({
        'a quorum without operators': quorum('quorum: 2', ''),
        'a word': source({ resume: 'resume: quorum' }),
        neither: quorum('pauserCounts: true'),
        both: quorum('quorum: 2, trial: true'),
        'a pauser in a trial': quorum('trial: true, pauserCounts: true'),
        'a field that is none': quorum('quorum: 2, members: 3'),
      }),
    ).toMatchInlineSnapshot(`
      "a quorum without operators:
      line 4, resume.quorum: asks for 2 operators with role resume, and operators names 0; add them there
      a word:
      line 4, resume: says nobody who may resume; use trial, or { quorum: 2, budgetUsd: "1000000", steps: [{ share: 10%, for: 1h }] }
      neither:
      line 4, resume.quorum: says who may resume; use quorum: 2 or more, or trial: true, and one of them
      both:
      line 4, resume.quorum: says who may resume; use quorum: 2 or more, or trial: true, and one of them
      a pauser in a trial:
      line 4, resume.pauserCounts: is about a quorum, and this is a trial; remove it
      a field that is none:
      line 4, resume.members: is no field here (fields: trial, quorum, pauserCounts, budgetUsd, steps)"
    `);
  });

  test('error: operators', () => {
    const people = (...all: string[]) => source({ more: `operators: [${all.join(', ')}]` });
    expect(
      told({
        'a name twice': people(person('alice', 1), person('alice', 2)),
        'an address twice': people(person('alice', 1), person('bob', 1)),
        'the same caller': people(
          person('alice', 1, ', iam: "arn:*"'),
          person('bob', 2, ', iam: "arn:bob"'),
        ),
        nobody: people(person('alice', 0)),
        'a wrong checksum': people(
          '{ name: a, address: "0xA0b86991c6218b36c1d19D4a2e9eb0ce3606eB48", roles: [pause] }',
        ),
        'a panic key that resumes': people(
          `{ name: a, address: "${ADDRESS(1)}", roles: [panic, resume] }`,
        ),
        'a role twice': people(`{ name: a, address: "${ADDRESS(1)}", roles: [pause, pause] }`),
        'no role': people(`{ name: a, address: "${ADDRESS(1)}", roles: [] }`),
      }),
    ).toMatchInlineSnapshot(`
      "a name twice:
      line 11, operators[1].name: "alice" is given twice; first in operators[0].name
      an address twice:
      line 11, operators[1].address: "0x1111111111111111111111111111111111111111" is given twice; first in operators[0].address
      the same caller:
      line 11, operators[1].iam: fits callers that are "alice" already; use a pattern of this operator's own
      nobody:
      line 11, operators[0].address: is the account of nobody; use a real one
      a wrong checksum:
      line 11, operators[0].address: "0xA0b86991c6218b36c1d19D4a2e9eb0ce3606eB48" is not an EVM address; use 0x and 40 hex digits, the checksum right if in mixed case
      a panic key that resumes:
      line 11, operators[0].roles: are panic and resume: a panic key may only tighten, and whoever steals it must not resume; use one of the two
      a role twice:
      line 11, operators[0].roles: names a role twice; name each once
      no role:
      line 11, operators[0].roles: is empty; add pause, resume or panic"
    `);
  });

  test('error: steps', () => {
    const steps = (text: string, more = 'budgetUsd: 1, ') =>
      quorum(`quorum: 2, ${more}steps: [${text}]`);
    expect(
      told({
        falling: steps('{ share: 50%, for: 1h }, { share: 49.99%, for: 1h }'),
        'nothing at all': steps('{ share: 0%, for: 1h }'),
        'more than all': steps('{ share: 100.01%, for: 1h }'),
        'no time': steps('{ share: 10%, for: 0s }'),
        'taken back': steps(
          '{ share: 10%, for: 1h, assets: ["eip155:1/slip44:60"] }, { share: 20%, for: 1h, assets: ["eip155:1/*"] }',
        ),
        narrowed: steps('{ share: 10%, for: 1h }, { share: 20%, for: 1h, chains: ["eip155:1"] }'),
        'no budget': steps('{ share: 10%, for: 1h }', ''),
        'a budget of nothing': steps('{ share: 10%, for: 1h }', 'budgetUsd: 0, '),
        'a budget without steps': quorum('quorum: 2, budgetUsd: 5'),
        'too many': steps(Array(13).fill('{ share: 10%, for: 1h }').join(', ')),
      }),
    ).toMatchInlineSnapshot(`
      "falling:
      line 4, resume.steps[1].share: is less than in the step before; shares rise
      nothing at all:
      line 4, resume.steps[0].share: "0%" is not a share of every limit; use 0.01% to 100%
      more than all:
      line 4, resume.steps[0].share: "100.01%" is not a share of every limit; use 0.01% to 100%
      no time:
      line 4, resume.steps[0].for: "0s" is not a time of 1s to 7d; use a whole number with ms, s, m, h or d
      taken back:
      line 4, resume.steps[1].assets: must name everything that the step before names, or be left out: what flows is not stopped by the next step
      narrowed:
      line 4, resume.steps[1].chains: must name everything that the step before names, or be left out: what flows is not stopped by the next step
      no budget:
      line 4, resume.budgetUsd: is missing; use USD above 0: what 100% of a step means where a scope has no limit in USD
      a budget of nothing:
      line 4, resume.budgetUsd: is missing; use USD above 0: what 100% of a step means where a scope has no limit in USD
      a budget without steps:
      line 4, resume.budgetUsd: is about steps, and there are none; add steps, or remove it
      too many:
      line 4, resume.steps: has more than 12 steps; use fewer"
    `);
  });
});
