import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as Keystore from 'ox/Keystore';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Shown } from '../../lib/actions/show-proposals.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import { typedSignatures } from '../../lib/adapters/typed-signature.ts';
import type { Request } from '../../lib/adapters/wire/command.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import * as Answers from './answers.ts';
import { type Canned, type FakeRuntime, startFakeRuntime } from './fake-runtime.ts';
import * as Given from './proposals.ts';
import { type Ran, run, type Setting } from './run.ts';

const ok = (body: unknown): Canned => ({ status: 200, body });
const ID = '1HA4XG3R5M7QA';
const KEY = { TEST_KEY: Given.TEST_KEYS[0] };

let runtime: FakeRuntime;
let folder: string;
beforeAll(async () => {
  runtime = await startFakeRuntime();
  folder = mkdtempSync(join(tmpdir(), 'breakwater-sign-'));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  runtime.requests.length = 0;
  runtime.answers.clear();
  show(Given.shownOf(Given.proposalOf(Given.RESUME)));
});

function show(shown: Shown) {
  runtime.answers.set('proposal.show', ok(shown));
}

async function ran(argv: readonly string[], setting: Setting = {}): Promise<Ran> {
  const all = { cwd: folder, ...setting };
  const { code, out, err } = await run([...argv, '--url', runtime.url], all);
  const hide = (text: string) => text.replaceAll(runtime.url, 'URL');
  return { code, out: hide(out), err: hide(err) };
}

/** Requests that change something. */
function sent(): readonly Request[] {
  return runtime.requests.filter(({ command }) => !/\.(show|list)$/.test(command));
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

/** A keystore as cast writes it, but for a cheaper cost: made here, of a TEST KEY. */
function keystore(name: string, passphrase: string): string {
  const [key, options] = Keystore.scrypt({ password: passphrase, n: 1_024, r: 8, p: 1 });
  const made = Keystore.encrypt(Given.TEST_KEYS[0], key, options);
  return file(name, JSON.stringify({ address: Given.TEST_ADDRESSES[0].slice(2), ...made }));
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

const approved = (signed: number) => {
  const proposal = Given.proposalOf(Given.RESUME, { approvals: [Given.signatureOf('ada')] });
  return ok({ kind: 'approved', proposal, signed, quorum: 2 });
};

describe('status', () => {
  test('default', async () => {
    const { code, out } = await ran(['resume', 'status', ID.toLowerCase()], { terminal: 80 });
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "Proposal 1HA4XG3R5M7QA  TO SIGN
      RESUME key-domain:hot-vault

      Incident 1HA4VYR80K2M3, opening 1 of this scope
      How      in 4 steps, then in full
      Steps    1. 10% for 1h (only eip155:1)
               2. 25% for 1h
               3. 50% for 1h
               4. 100% for 1h
               where no limit is in USD, of $1,000,000
      New base limit wallet-hour on wallet:eth-hot-1 counts from then on; what left
               before counts no more there
      Also     resumes destination:eip155:1:0x2222222222222222222222222222222222222222
               (incident 1HA4VYR80K2M4, opening 1)
      Reason   the leaked key is rotated, and what is left was moved
      By       arn:aws:sts::123456789012:assumed-role/oncall/ada, 2023-09-12 13:28:09
               UTC (5 min ago)

      Signed   0 of 2: nobody yet
      May sign ada, bob, carol
      Until    2023-09-13 13:28:09 UTC (in 23 h 55 min)
      Policy   hash 0c5f41a6d7a0
      Stack    id 3f3f3f3f3f3f

      To sign
        breakwater resume sign 1HA4XG3R5M7QA --keystore FILE
        breakwater resume sign 1HA4XG3R5M7QA --typed-data > to-sign.json
        breakwater resume submit 1HA4XG3R5M7QA --signature 0x…
      To object
        breakwater proposal veto 1HA4XG3R5M7QA --reason "…" --keystore FILE
      "
    `);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test.each([
    ['a policy', Given.LOOSENING],
    ['an allowance', Given.ALLOWANCE],
    ['maintenance', Given.MAINTENANCE],
  ])('args: %s', async (_, action) => {
    const proposal = Given.proposalOf(action, {
      round: 2,
      approvals: [Given.signatureOf('ada', 2)],
      vetoes: [{ ...Given.signatureOf('bob'), reason: 'not before the audit' }],
    });
    show(Given.shownOf(proposal, { may: ['carol'] }));
    const { out } = await ran(['proposal', 'status', ID], { terminal: 80 });
    expect(out).toMatchSnapshot();
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('behavior: the list, those that wait in full', async () => {
    const done = Given.proposalOf(Given.MAINTENANCE, {
      proposalId: '1HA4XG3R5M7QB',
      state: 'done',
      ended: { atMs: Answers.NOW_MS - 1_000, why: 'carried out' },
    });
    const waits = Given.proposalOf(Given.LOOSENING, {
      proposalId: '1HA4XG3R5M7QC',
      state: 'approved',
      dueAtMs: Answers.NOW_MS + 80_000_000,
    });
    const proposals = [
      { proposal: waits, signed: ['ada', 'bob'] },
      { proposal: Given.proposalOf(Given.RESUME), signed: ['ada'] },
      { proposal: done, signed: ['ada', 'bob'], over: 'carried out' },
    ];
    runtime.answers.set('proposal.list', ok({ quorum: 2, proposals }));
    const { code, out } = await ran(['resume', 'status'], { terminal: 80 });
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "1HA4XG3R5M7QC  APPROVED, WAITS  LOOSEN THE POLICY
        Due      2023-09-13 11:46:29 UTC (in 22 h 13 min)
        Object   breakwater proposal veto 1HA4XG3R5M7QC --reason "…"
      1HA4XG3R5M7QA  TO SIGN  RESUME key-domain:hot-vault
        Signed   1 of 2: ada
        Until    2023-09-13 13:28:09 UTC (in 23 h 55 min)
        Look     breakwater resume status 1HA4XG3R5M7QA
      1HA4XG3R5M7QB  CARRIED OUT  PAUSE wallet:eth-hot-1 FOR MAINTENANCE
      "
    `);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('args: --json', async () => {
    const { out } = await ran(['proposal', 'status', ID, '--json']);
    expect(JSON.parse(out)).toMatchObject({ quorum: 2, proposal: { proposalId: ID } });
  });

  test('error: no such proposal', async () => {
    const body = { error: `there is no proposal ${ID}` };
    runtime.answers.set('proposal.show', { status: 404, body });
    const { code, err } = await ran(['resume', 'status', ID]);
    expect(code).toBe(3);
    expect(err).toContain('breakwater proposal status');
  });
});

describe('sign', () => {
  test('default', async () => {
    keystore('ada.json', 'a passphrase');
    runtime.answers.set('resume.approve', approved(1));
    const argv = ['resume', 'sign', ID, '--keystore', 'ada.json'];
    const secrets = ['a typo', 'a passphrase'];
    const { code, out, err } = await ran(argv, { terminal: 80, answer: 'y', secrets });
    expect(code).toBe(0);
    expect(err).toMatchInlineSnapshot(`
      "You are about to sign: RESUME key-domain:hot-vault

      Incident 1HA4VYR80K2M3, opening 1 of this scope
      How      in 4 steps, then in full
      Steps    1. 10% for 1h (only eip155:1)
               2. 25% for 1h
               3. 50% for 1h
               4. 100% for 1h
               where no limit is in USD, of $1,000,000
      New base limit wallet-hour on wallet:eth-hot-1 counts from then on; what left
               before counts no more there
      Also     resumes destination:eip155:1:0x2222222222222222222222222222222222222222
               (incident 1HA4VYR80K2M4, opening 1)
      Reason   the leaked key is rotated, and what is left was moved
      By       arn:aws:sts::123456789012:assumed-role/oncall/ada
      Expires  2023-09-13 13:28:09 UTC (in 23 h 55 min)
      Signed   0 of 2: nobody yet
      Proposal 1HA4XG3R5M7QA, round 1
      Stack    id 3f3f3f3f3f3f
      Hashes   policy 0c5f41a6d7a0, action 4938c6c638f1

      Sign this? [y/N] Passphrase of ada.json: 
      That is not its passphrase; try again.
      Passphrase of ada.json: 
      Signed with the key of 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266.

      "
    `);
    expect(out).toMatchInlineSnapshot(`
      "SIGNED 1HA4XG3R5M7QA on URL
      RESUME key-domain:hot-vault
      Signed   1 of 2: ada
      Until    2023-09-13 13:28:09 UTC (in 23 h 55 min)
      Next     another operator: breakwater resume sign 1HA4XG3R5M7QA --keystore FILE
      "
    `);
    expect(widest(out + err)).toBeLessThanOrEqual(80);
    const [request] = sent();
    if (request?.command !== 'resume.approve') throw new Error('nothing was sent');
    const { typedData } = Given.shownOf(Given.proposalOf(Given.RESUME));
    expect(request.signed).toEqual(JSON.parse(JSON.stringify(typedData)));
    expect(await typedSignatures.recover(typedData, request.signature)).toEqual({
      kind: 'signer',
      address: Given.TEST_ADDRESSES[0],
    });
  });

  test('behavior: H80 a no signs nothing, and opens no keystore', async () => {
    keystore('no.json', 'a passphrase');
    const argv = ['resume', 'sign', ID, '--keystore', 'no.json'];
    const { code, err } = await ran(argv, { answer: 'n' });
    expect(code).toBe(3);
    expect(err).not.toContain('Passphrase of');
    expect(sent()).toEqual([]);
  });

  test('args: a passphrase from a file, and --yes', async () => {
    keystore('file.json', 'a passphrase');
    const env = { BREAKWATER_PASSPHRASE_FILE: file('passphrase', 'a passphrase\n') };
    runtime.answers.set('proposal.approve', approved(1));
    const argv = ['proposal', 'sign', ID, '--keystore', 'file.json'];
    expect((await ran(argv, { env })).err).toContain('Add --yes');
    expect((await ran([...argv, '--yes'], { env })).code).toBe(0);
    const given = { stdin: 'a passphrase' };
    expect((await ran([...argv, '--yes', '--passphrase-file', '-'], given)).code).toBe(0);
    expect(sent()).toHaveLength(2);
  });

  test('args: --key-from-env warns, and never prints the key', async () => {
    runtime.answers.set('resume.approve', approved(1));
    const argv = ['resume', 'sign', ID, '--key-from-env', 'TEST_KEY', '--yes'];
    const { code, out, err } = await ran(argv, { env: KEY });
    expect(code).toBe(0);
    expect(err).toContain('for trials only');
    expect(out + err).not.toContain(Given.TEST_KEYS[0].slice(2));
  });

  test('args: --typed-data prints what to sign and sends nothing', async () => {
    const { code, out, err } = await ran(['resume', 'sign', ID, '--typed-data']);
    expect(code).toBe(0);
    const { typedData } = Given.shownOf(Given.proposalOf(Given.RESUME));
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(typedData)));
    expect(err).toContain(`breakwater resume submit ${ID} --signature 0x…`);
    expect(sent()).toEqual([]);
  });

  test('args: --out writes what the control topic takes, and submit sends it', async () => {
    const argv = ['resume', 'sign', ID, '--key-from-env', 'TEST_KEY', '--yes', '--out', 'out.json'];
    expect((await ran(argv, { env: KEY })).code).toBe(0);
    expect(sent()).toEqual([]);
    const written = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8'));
    expect(written).toMatchObject({ command: 'resume.approve', proposalId: ID });
    expect((await ran(argv, { env: KEY })).err).toContain('it is there already');
    runtime.answers.set('resume.approve', approved(1));
    expect((await ran(['resume', 'submit', ID, 'out.json'])).code).toBe(0);
    expect(sent()).toEqual([written]);
    const other = await ran(['resume', 'submit', '1HA4XG3R5M7QZ', 'out.json']);
    expect(other.code).toBe(2);
    expect(other.err).toContain('Nothing was sent');
  });

  test('behavior: says that it is the last one, and what it sets off', async () => {
    const proposal = Given.proposalOf(Given.RESUME, { approvals: [Given.signatureOf('bob')] });
    show(Given.shownOf(proposal));
    const carried = { ...proposal, state: 'done' as const };
    runtime.answers.set('resume.approve', ok({ kind: 'carried-out', proposal: carried }));
    const argv = ['resume', 'sign', ID, '--key-from-env', 'TEST_KEY'];
    const { out, err } = await ran(argv, { env: KEY, answer: 'yes', terminal: 80 });
    expect(err).toContain(
      'One more signature completes the quorum: then it is carried out at once.',
    );
    expect(out).toMatchInlineSnapshot(`
      "CARRIED OUT 1HA4XG3R5M7QA on URL
      RESUME key-domain:hot-vault

      Step 1 of 4 has begun; the others follow by themselves. A breach opens the
      breaker again.
      Check    breakwater status
      "
    `);
  });

  test('error: H83 a service that shows one thing and asks to sign another', async () => {
    const shown = Given.shownOf(Given.proposalOf(Given.RESUME));
    const at = { ...shown.typedData.message, mode: 'at once, full limits in force' };
    show({ ...shown, typedData: { ...shown.typedData, message: at } });
    const argv = ['resume', 'sign', ID, '--key-from-env', 'TEST_KEY', '--yes'];
    const { code, err } = await ran(argv, { env: KEY });
    expect(code).toBe(1);
    expect(err).toContain('they differ in mode. Nothing was signed.');
    expect(sent()).toEqual([]);
  });

  test('error: a policy of another text than the one that was read', async () => {
    const text = 'a policy';
    const mine = { ...Given.LOOSENING, hash: nodeDigest.hash(text) };
    runtime.answers.set('proposal.approve', approved(1));
    const policy = ['--policy', file('policy.yaml', text)];
    const argv = ['proposal', 'sign', ID, '--key-from-env', 'TEST_KEY', '--yes', ...policy];
    show(Given.shownOf(Given.proposalOf(Given.LOOSENING)));
    const other = await ran(argv, { env: KEY });
    expect(other.code).toBe(3);
    expect(other.err).toContain('another text');
    show(Given.shownOf(Given.proposalOf(mine)));
    expect((await ran(argv, { env: KEY })).code).toBe(0);
  });

  test.each([
    [[], 'Say which key signs.'],
    [['--keystore', 'a', '--typed-data'], 'Give one of'],
    [['--keystore', 'nowhere.json', '--yes'], 'there is no such file'],
    [['--key-from-env', 'UNSET', '--yes'], 'UNSET is not set'],
    [['--key-from-env', 'SHORT', '--yes'], 'SHORT holds no private key'],
    [['--key-from-env', 'ZERO', '--yes'], 'ZERO holds no private key'],
  ])('error: %j', async (options, expected) => {
    const env = { SHORT: '0xdeadbeef', ZERO: '0'.repeat(64) };
    const { code, err } = await ran(['resume', 'sign', ID, ...options], { env });
    expect(code).toBe(2);
    expect(err).toContain(expected);
    expect(err).not.toMatch(/deadbeef|0{32}/);
    expect(sent()).toEqual([]);
  });

  test('error: a key given in place of a name is not repeated', async () => {
    for (const key of [Given.TEST_KEYS[0], Given.TEST_KEYS[0].slice(2)]) {
      const { code, out, err } = await ran(['resume', 'sign', ID, '--key-from-env', key, '--yes']);
      expect(code).toBe(2);
      expect(out + err).not.toContain(key.slice(4, 20));
    }
  });

  test.each([
    ['no JSON', 'nonsense', 'it is no JSON'],
    ['no keystore', '{"version":3}', 'is no keystore: crypto'],
    ['an old version', '{"version":1,"crypto":{}}', 'version'],
  ])('error: a keystore that is %s', async (_, content, expected) => {
    const name = file('odd.json', content);
    const argv = ['resume', 'sign', ID, '--keystore', name, '--yes'];
    const env = { BREAKWATER_PASSPHRASE_FILE: file('passphrase', 'x') };
    const { code, err } = await ran(argv, { env });
    expect(code).toBe(2);
    expect(err).toContain(expected);
  });

  test('error: a wrong passphrase three times; a wrong one from a file once', async () => {
    keystore('wrong.json', 'a passphrase');
    const argv = ['resume', 'sign', ID, '--keystore', 'wrong.json'];
    const typed = await ran(argv, { answer: 'y', secrets: ['hunter2'] });
    expect(typed.code).toBe(2);
    expect(typed.err.match(/Passphrase of/g)).toHaveLength(3);
    const env = { BREAKWATER_PASSPHRASE_FILE: file('passphrase', 'hunter2') };
    const given = await ran([...argv, '--yes'], { env });
    expect(given.err).toContain('was not unlocked');
    expect(typed.err + given.err).not.toContain('hunter2');
  });

  test('error: an address that is not that of the key', async () => {
    const name = keystore('claims.json', 'x');
    const content = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    file(name, JSON.stringify({ ...content, address: Given.TEST_ADDRESSES[1] }));
    const env = { BREAKWATER_PASSPHRASE_FILE: file('passphrase', 'x') };
    const { code, err } = await ran(['resume', 'sign', ID, '--keystore', name, '--yes'], { env });
    expect(code).toBe(2);
    expect(err).toContain(`holds the key of ${Given.TEST_ADDRESSES[0]}`);
  });

  test('error: one that can be signed no more', async () => {
    show(Given.shownOf(Given.proposalOf(Given.RESUME), { over: 'another policy is in force now' }));
    const { code, err } = await ran(['resume', 'sign', ID, '--typed-data']);
    expect(code).toBe(3);
    expect(err).toContain('can be signed no more: another policy is in force now');
  });

  test('error: refused, with the code and what to do next', async () => {
    const body = {
      kind: 'refused',
      code: 'duplicate',
      why: 'ada has signed this proposal already',
    };
    runtime.answers.set('resume.approve', { status: 409, body });
    const argv = ['resume', 'sign', ID, '--key-from-env', 'TEST_KEY', '--yes', '--json'];
    const { code, out, err } = await ran(argv, { env: KEY });
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual(body);
    expect(err).toContain('Refused (duplicate): ada has signed this proposal already.');
    expect(err).toContain('Another operator has to sign.');
  });
});

describe('submit', () => {
  const rs = '11'.repeat(64);

  test.each([
    ['as it is', `0x${rs}1b`],
    ['without 0x', `${rs}1b`],
    ['with v from 0', `0x${rs}00`],
    ['in upper case', `0x${rs}1B`],
  ])('args: --signature %s', async (_, signature) => {
    runtime.answers.set('resume.approve', approved(1));
    const { code } = await ran(['resume', 'submit', ID.toLowerCase(), '--signature', signature]);
    expect(code).toBe(0);
    expect(sent()).toEqual([{ command: 'resume.approve', proposalId: ID, signature: `0x${rs}1b` }]);
  });

  test('args: from standard input, as cast prints it', async () => {
    runtime.answers.set('proposal.approve', approved(1));
    const { code } = await ran(['proposal', 'submit', ID, '-'], { stdin: `0x${rs}1c\n` });
    expect(code).toBe(0);
    expect(sent()).toMatchObject([{ signature: `0x${rs}1c` }]);
  });

  test.each([
    [[]],
    [['--signature', '0x1234']],
    [['--signature', `0x${rs}1b`, 'file']],
    [['none']],
  ])('error: %j', async (given) => {
    expect((await ran(['resume', 'submit', ID, ...given])).code).toBe(2);
    expect(sent()).toEqual([]);
  });

  test('error: a file that holds something else', async () => {
    const pause = JSON.stringify({ command: 'status' });
    const { code, err } = await ran(['resume', 'submit', ID, file('other.json', pause)]);
    expect(code).toBe(2);
    expect(err).toContain('is no signature');
  });
});

describe('veto', () => {
  test('default', async () => {
    const proposal = Given.proposalOf(Given.LOOSENING, { round: 2 });
    show(
      Given.shownOf(Given.proposalOf(Given.LOOSENING, { approvals: [Given.signatureOf('ada')] })),
    );
    runtime.answers.set('proposal.veto', ok({ kind: 'vetoed', proposal }));
    const argv = ['proposal', 'veto', ID, '--reason', 'not now', '--key-from-env', 'TEST_KEY'];
    const { code, out, err } = await ran(argv, { env: KEY, answer: 'y', terminal: 80 });
    expect(code).toBe(0);
    expect(err).toMatchInlineSnapshot(`
      "You are about to OBJECT to: LOOSEN THE POLICY

      Changes  limit wallet-hour: max $2,500,000 → $3,000,000
               asset eip155:1/slip44:60: added
      In force 1 d after the last signature
      New hash abababababababababababababababababababababababababababababababab
      Because  not now
      Voids    the signatures of this round: ada
      Then     you have no further say in it; a quorum of others can sign it again
      Proposal 1HA4XG3R5M7QA, round 1
      Stack    id 3f3f3f3f3f3f
      Hashes   policy 0c5f41a6d7a0, action db635c90c5a6

      Sign this? [y/N] WARNING: the key of 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 lies
        unencrypted in TEST_KEY, where other programs can read it: for trials only.
      Signed with the key of 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266.

      "
    `);
    expect(out).toMatchInlineSnapshot(`
      "OBJECTED TO 1HA4XG3R5M7QA on URL
      LOOSEN THE POLICY
      What was signed before counts no more. Others can sign it again, in round 2.
      "
    `);
    const [request] = sent();
    if (request?.command !== 'proposal.veto') throw new Error('nothing was sent');
    const asked = TypedData.ofVeto(
      Given.proposalOf(Given.LOOSENING),
      { reason: 'not now' },
      { stackId: Given.STACK_ID, hash: nodeDigest.hash },
    );
    const { address } = (await typedSignatures.recover(asked, request.signature)) as {
      address?: string;
    };
    expect(address).toBe(Given.TEST_ADDRESSES[0]);
  });

  test('args: a signature that was made elsewhere', async () => {
    const proposal = Given.proposalOf(Given.LOOSENING, { round: 2 });
    runtime.answers.set('proposal.veto', ok({ kind: 'vetoed', proposal }));
    const signature = `0x${'11'.repeat(64)}1b`;
    const argv = ['proposal', 'veto', ID, '--reason', 'not now', '--signature', signature];
    expect((await ran(argv)).code).toBe(0);
    expect(sent()).toEqual([
      { command: 'proposal.veto', proposalId: ID, reason: 'not now', signature },
    ]);
  });
});

describe('propose', () => {
  const proposed = (action: Parameters<typeof Given.proposalOf>[0]) => {
    const proposal = Given.proposalOf(action);
    show(Given.shownOf(proposal));
    return ok({ kind: 'proposed', proposal });
  };

  test('default', async () => {
    runtime.answers.set('resume.propose', proposed(Given.RESUME));
    const { code, out } = await ran(
      [
        ...['resume', 'propose', '1ha4vyr80k2m3', '--reason', 'the leaked key is rotated'],
        ...['--new-base', 'wallet-hour@wallet:eth-hot-1', '--also', '1ha4vyr80k2m4'],
        ...['--expires', '2h'],
      ],
      { terminal: 120 },
    );
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "PROPOSED 1HA4XG3R5M7QA on URL

      Proposal 1HA4XG3R5M7QA  TO SIGN
      RESUME key-domain:hot-vault

      Incident 1HA4VYR80K2M3, opening 1 of this scope
      How      in 4 steps, then in full
      Steps    1. 10% for 1h (only eip155:1)
               2. 25% for 1h
               3. 50% for 1h
               4. 100% for 1h
               where no limit is in USD, of $1,000,000
      New base limit wallet-hour on wallet:eth-hot-1 counts from then on; what left before counts no more there
      Also     resumes destination:eip155:1:0x2222222222222222222222222222222222222222 (incident 1HA4VYR80K2M4, opening 1)
      Reason   the leaked key is rotated, and what is left was moved
      By       arn:aws:sts::123456789012:assumed-role/oncall/ada, 2023-09-12 13:28:09 UTC (5 min ago)

      Signed   0 of 2: nobody yet
      May sign ada, bob, carol
      Until    2023-09-13 13:28:09 UTC (in 23 h 55 min)
      Policy   hash 0c5f41a6d7a0
      Stack    id 3f3f3f3f3f3f

      To sign
        breakwater resume sign 1HA4XG3R5M7QA --keystore FILE
        breakwater resume sign 1HA4XG3R5M7QA --typed-data > to-sign.json
        breakwater resume submit 1HA4XG3R5M7QA --signature 0x…
      To object
        breakwater proposal veto 1HA4XG3R5M7QA --reason "…" --keystore FILE
      "
    `);
    expect(sent()).toEqual([
      {
        command: 'resume.propose',
        commandId: '00000000-0000-4000-8000-000000000001',
        incidentId: '1HA4VYR80K2M3',
        mode: 'steps',
        rebase: [{ limitId: 'wallet-hour', scope: 'wallet:eth-hot-1' }],
        also: ['1HA4VYR80K2M4'],
        reason: 'the leaked key is rotated',
        expires: new Date(Answers.NOW_MS + 7_200_000).toISOString(),
      },
    ]);
  });

  test('args: --at-once, --not-before', async () => {
    runtime.answers.set('resume.propose', proposed(Given.RESUME));
    const at = ['--at-once', '--not-before', '2023-09-12T18:00:00+02:00'];
    await ran(['resume', 'propose', '1HA4VYR80K2M3', '--reason', 'r', ...at]);
    expect(sent()).toMatchObject([{ mode: 'at-once', notBefore: '2023-09-12T16:00:00.000Z' }]);
  });

  test('args: an allowance', async () => {
    runtime.answers.set('allowance.propose', proposed(Given.ALLOWANCE));
    const { code } = await ran([
      ...['allowance', 'propose', 'wallet-hour', '--scope', 'wallet:eth-hot-1'],
      ...['--extra', '50%', '--until', '6h', '--reason', 'a listing'],
    ]);
    expect(code).toBe(0);
    const until = new Date(Answers.NOW_MS + 6 * 3_600_000).toISOString();
    expect(sent()).toMatchObject([{ limitId: 'wallet-hour', extraBps: 5_000, until }]);
  });

  test('args: maintenance', async () => {
    runtime.answers.set('maintenance.propose', proposed(Given.MAINTENANCE));
    const argv = ['maintenance', 'propose', 'wallet:eth-hot-1', '--reason', 'a new node'];
    expect((await ran(argv)).code).toBe(0);
    expect(sent()).toMatchObject([{ scope: 'wallet:eth-hot-1', reason: 'a new node' }]);
  });

  test('args: a policy', async () => {
    runtime.answers.set('policy.propose', proposed(Given.LOOSENING));
    const text = readFileSync('examples/policies/starter.yaml', 'utf8');
    const argv = ['policy', 'propose', file('next.yaml', text), '--reason', 'more customers'];
    expect((await ran(argv)).code).toBe(0);
    expect(sent()).toMatchObject([{ command: 'policy.propose', source: text }]);
    const bad = await ran(['policy', 'propose', file('bad.yaml', 'no: policy'), '--reason', 'r']);
    expect(bad.code).toBe(2);
  });

  test('behavior: a repeat says so', async () => {
    runtime.answers.set('resume.propose', ok({ kind: 'duplicate', proposalId: ID }));
    const { out } = await ran(['resume', 'propose', '1HA4VYR80K2M3', '--reason', 'r']);
    expect(out).toContain(`PROPOSED BEFORE ${ID}`);
  });

  test.each([
    [['resume', 'propose', '1HA4VYR80K2M3'], '--reason'],
    [
      ['resume', 'propose', '1HA4VYR80K2M3', '--reason', 'r', '--expires', 'soon'],
      '--expires: soon',
    ],
    [['resume', 'propose', '1HA4VYR80K2M3', '--reason', 'r', '--new-base', 'x'], '--new-base: x'],
    [['resume', 'propose', 'x', '--reason', 'r'], 'incidentId: must be an incident id'],
    [
      [
        ...['allowance', 'propose', 'l', '--scope', 'global', '--until', '1h', '--reason', 'r'],
        ...['--extra', '200%'],
      ],
      'extraBps',
    ],
    [['resume', '1HA4VYR80K2M3'], '--reason'],
  ])('error: %j', async (argv, expected) => {
    const { code, err } = await ran(argv);
    expect(code).toBe(2);
    expect(err).toContain(expected);
    expect(sent()).toEqual([]);
  });
});

describe('panic', () => {
  const sounded = (kind: string) =>
    ok({ kind, scope: 'wallet:eth-hot-1', incidentId: '1HA4XG3R5M7QD', already: false });
  const options = ['--reason', 'strange approvals', '--key-from-env', 'TEST_KEY'];

  beforeEach(() => {
    runtime.answers.set('policy.show', ok({ version: 1, stackId: Given.STACK_ID }));
    runtime.answers.set('panic', sounded('paused'));
  });

  test('default', async () => {
    const argv = ['panic', 'pause', 'wallet:eth-hot-1', ...options];
    const { code, out, err } = await ran(argv, { env: KEY, answer: 'y', terminal: 80 });
    expect(code).toBe(0);
    expect(err).toMatchInlineSnapshot(`
      "You are about to sign: PAUSE wallet:eth-hot-1

      Does     nothing leaves any more; only the resume quorum lifts it
      Reason   strange approvals
      Expires  2023-09-12 13:43:09 UTC (in 10 min), if it is not sent before
      Stack    id 3f3f3f3f3f3f

      Sign this? [y/N] WARNING: the key of 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 lies
        unencrypted in TEST_KEY, where other programs can read it: for trials only.
      Signed with the key of 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266.

      "
    `);
    expect(out).toMatchInlineSnapshot(`
      "PAUSED wallet:eth-hot-1 on URL
      Look     breakwater incident 1HA4XG3R5M7QD
      Lift     the resume quorum: breakwater resume propose 1HA4XG3R5M7QD --reason "…"
      "
    `);
    const [request] = sent();
    if (request?.command !== 'panic') throw new Error('nothing was sent');
    const { commandId, scope, reason, expires } = request;
    const panic = { commandId, scope, reason, expiresAtMs: Date.parse(expires) };
    const typed = TypedData.ofPanic(panic, { stackId: Given.STACK_ID });
    expect(await typedSignatures.recover(typed, request.signature)).toEqual({
      kind: 'signer',
      address: Given.TEST_ADDRESSES[0],
    });
  });

  test('behavior: a monitor is not asked', async () => {
    const argv = ['panic', 'tighten', 'wallet:eth-hot-1', '--to', '25%', ...options];
    runtime.answers.set('panic', sounded('tightened'));
    const { code, out } = await ran(argv, { env: KEY });
    expect(code).toBe(0);
    expect(out).toContain('TIGHTENED wallet:eth-hot-1 to 25%');
    expect(sent()).toMatchObject([{ shareBps: 2_500 }]);
  });

  test('behavior: signed where nothing can be asked, sent by somebody else', async () => {
    const offline = { BREAKWATER_STACK_ID: `0x${Given.STACK_ID}`, ...KEY };
    const argv = ['panic', 'pause', 'global', ...options, '--out', 'panic.json'];
    expect((await ran(argv, { env: offline })).code).toBe(0);
    expect(runtime.requests).toEqual([]);
    expect(existsSync(join(folder, 'panic.json'))).toBe(true);
    expect((await ran(['panic', 'submit', 'panic.json'])).code).toBe(0);
    expect(sent()).toMatchObject([{ command: 'panic', scope: 'global' }]);
  });

  test('behavior: typed data, signed elsewhere', async () => {
    const argv = ['panic', 'tighten', 'wallet:eth-hot-1', '--to', '0.5%', '--reason', 'r'];
    const { out } = await ran([...argv, '--typed-data']);
    const name = file('to-sign.json', out);
    const signature = `0x${'11'.repeat(64)}1b`;
    expect((await ran(['panic', 'submit', name, '--signature', signature])).code).toBe(0);
    expect(sent()).toMatchObject([{ shareBps: 50, scope: 'wallet:eth-hot-1', signature }]);
    file('to-sign.json', out.replace('0.5%', '0.50%'));
    const changed = await ran(['panic', 'submit', name, '--signature', signature]);
    expect(changed.code).toBe(2);
    expect(changed.err).toContain('is not the typed data of a panic command');
  });

  test('error: the service does not say which stack it is', async () => {
    runtime.answers.set('policy.show', ok({ version: 1 }));
    const { code, err } = await ran(['panic', 'pause', 'global', ...options], { env: KEY });
    expect(code).toBe(2);
    expect(err).toContain('--stack-id');
  });
});
