import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { toCompiled } from '../../lib/adapters/compiled-policy.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import { compilePolicy } from '../../lib/adapters/policy-file/compile.ts';
import * as Answers from './answers.ts';
import { event } from './events.ts';
import { type Canned, type FakeRuntime, startFakeRuntime } from './fake-runtime.ts';
import { MAINTENANCE, proposalOf, RESUME, signatureOf } from './proposals.ts';
import { type Ran, run, type Setting } from './run.ts';

const STARTER = readFileSync('examples/policies/starter.yaml', 'utf8');
const ARMED = readFileSync('examples/policies/quorum.yaml', 'utf8');
const ok = (body: unknown): Canned => ({ status: 200, body });

let runtime: FakeRuntime;
let folder: string;
beforeAll(async () => {
  runtime = await startFakeRuntime();
  folder = mkdtempSync(join(tmpdir(), 'breakwater-cli-'));
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  runtime.requests.length = 0;
  runtime.events.length = 0;
  runtime.answers.clear();
  runtime.eventsAnswer = (events) => ({ status: 202, body: { accepted: events.length } });
  runtime.answers.set('status', ok(Answers.ENABLED));
  runtime.answers.set('proposal.list', ok({ quorum: 1, proposals: [] }));
  runtime.answers.set('policy.show', ok(stored(STARTER)));
});

function stored(source: string) {
  const { compiled } = compilePolicy(source);
  const by = { appliedAtMs: Answers.OPENED_MS, actor: 'ada' };
  return { version: 3, hash: nodeDigest.hash(source), source, compiled, ...by };
}

/** Runs against the fake runtime; its address, which changes, reads URL. */
async function ran(argv: readonly string[], setting: Setting = {}): Promise<Ran> {
  const { code, out, err } = await run([...argv, '--url', runtime.url], setting);
  const hide = (text: string) => text.replaceAll(runtime.url, 'URL');
  return { code, out: hide(out), err: hide(err) };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

describe('status', () => {
  test('default', async () => {
    const { code, out, err } = await ran(['status'], { terminal: 80 });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatchInlineSnapshot(`
      "ENABLED

      Policy   starter, version 3, hash 0c5f41a6d7a0
      Mode     enforce
      Resume   TRIAL MODE: one operator alone can resume
      Asked    URL at 2023-09-12 13:33:09 UTC

      Proof of health
        eip155:1                                 in force, 42 s left
        bip122:000000000019d6689c085ae165831e93  in force, 42 s left
        heartbeat                                sent 2 s ago, came through in 140 ms
        Not watched: eip155:1; only reported outflow is seen.
      "
    `);
  });

  test('behavior: H83: a theft under a pause is named, and so is a list that is not whole', async () => {
    const [isolated, ...others] = Answers.PAUSED.open;
    const open = [{ ...isolated, alsoUnmatched: 1 }, ...others];
    runtime.answers.set('status', ok({ ...Answers.PAUSED, open, truncated: true }));
    const { out } = await ran(['status'], { terminal: 80 });
    expect(out).toContain('PAUSED (more than 2 incidents)');
    expect(out).toContain('Also     1 unmatched outflow came after the first cause');
  });

  test('behavior: paused, with who can lift it and how', async () => {
    runtime.answers.set('status', ok(Answers.PAUSED));
    const { code, out } = await ran(['status'], { terminal: 80 });
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "PAUSED (2 incidents)

      Policy   starter, version 3, hash 0c5f41a6d7a0
      Mode     enforce
      Resume   TRIAL MODE: one operator alone can resume
      Asked    URL at 2023-09-12 13:33:09 UTC

      Open incidents
        1HA4W5T20QRST  destination:eip155:1:0x2222222222222222222222222222222222222222
          Why      paused by arn:aws:sts::123456789012:assumed-role/oncall/ada:
                   \\u{1b}[2Jlooks like the thief
          Since    2023-09-12 13:26:04 UTC (7 min 5 s ago)
          Lift     one operator alone (TRIAL MODE)
          Look     breakwater incident 1HA4W5T20QRST
          Resume   breakwater resume 1HA4W5T20QRST --reason "…"

        1HA4VYR80K2M3  key-domain:hot-vault
          Why      outflow of 4,947 ETH from eth-hot-1 that nobody approved: it names
                   no withdrawal
          Since    2023-09-12 13:21:04 UTC (12 min 5 s ago)
          Lift     one operator alone (TRIAL MODE)
          Look     breakwater incident 1HA4VYR80K2M3
          Resume   breakwater resume 1HA4VYR80K2M3 --reason "…"

      Proof of health
        eip155:1                                 in force, 42 s left
        bip122:000000000019d6689c085ae165831e93  in force, 42 s left
        heartbeat                                sent 2 s ago, came through in 140 ms
        Not watched: eip155:1; only reported outflow is seen.
      "
    `);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('behavior: H83 who has to sign, what waits for it, and what was stopped along', async () => {
    const [isolated, tripped] = Answers.PAUSED.open;
    const overlay = { ...isolated!, incidentId: '1HA4W5T20QRSV', overlay: 2_500 };
    const open = [overlay, { ...isolated!, quarantinedBy: tripped!.incidentId }, tripped!];
    const resumers = ['ada', 'bob', 'carol'];
    const policy = { ...Answers.PAUSED.policy, resume: 'quorum', quorum: 2, resumers };
    runtime.answers.set('status', ok({ ...Answers.PAUSED, open, policy }));
    const proposals = [
      { proposal: proposalOf(RESUME, { approvals: [signatureOf('ada')] }), signed: ['ada'] },
      { proposal: proposalOf(MAINTENANCE, { state: 'done' }), signed: [], over: 'carried out' },
    ];
    runtime.answers.set('proposal.list', ok({ quorum: 2, proposals }));
    const { out } = await ran(['status'], { terminal: 80 });
    expect(out).toMatchInlineSnapshot(`
      "PAUSED (3 incidents)

      Policy   starter, version 3, hash 0c5f41a6d7a0
      Mode     enforce
      Resume   2 of 3 operators have to sign: ada, bob, carol
      Asked    URL at 2023-09-12 13:33:09 UTC

      Open incidents
        1HA4W5T20QRSV  destination:eip155:1:0x2222222222222222222222222222222222222222
          Tighter  every limit allows 25% of itself; money flows within it
          Why      paused by arn:aws:sts::123456789012:assumed-role/oncall/ada:
                   \\u{1b}[2Jlooks like the thief
          Since    2023-09-12 13:26:04 UTC (7 min 5 s ago)
          Lift     a quorum of operators, who sign it together
          Look     breakwater incident 1HA4W5T20QRSV
          Resume   breakwater resume propose 1HA4W5T20QRSV --reason "…"

        1HA4W5T20QRST  destination:eip155:1:0x2222222222222222222222222222222222222222
          With     stopped along with 1HA4VYR80K2M3; it stays stopped unless that
                   one’s resume names it (--also)
          Why      paused by arn:aws:sts::123456789012:assumed-role/oncall/ada:
                   \\u{1b}[2Jlooks like the thief
          Since    2023-09-12 13:26:04 UTC (7 min 5 s ago)
          Lift     a quorum of operators, who sign it together
          Look     breakwater incident 1HA4W5T20QRST
          Resume   breakwater resume propose 1HA4W5T20QRST --reason "…"

        1HA4VYR80K2M3  key-domain:hot-vault
          Why      outflow of 4,947 ETH from eth-hot-1 that nobody approved: it names
                   no withdrawal
          Since    2023-09-12 13:21:04 UTC (12 min 5 s ago)
          Lift     a quorum of operators, who sign it together
          Look     breakwater incident 1HA4VYR80K2M3
          Resume   breakwater resume propose 1HA4VYR80K2M3 --reason "…"

      Proposals
        1HA4XG3R5M7QA  TO SIGN  RESUME key-domain:hot-vault
          Signed   1 of 2: ada
          Until    2023-09-13 13:28:09 UTC (in 23 h 55 min)
          Look     breakwater resume status 1HA4XG3R5M7QA

      Proof of health
        eip155:1                                 in force, 42 s left
        bip122:000000000019d6689c085ae165831e93  in force, 42 s left
        heartbeat                                sent 2 s ago, came through in 140 ms
        Not watched: eip155:1; only reported outflow is seen.
      "
    `);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('behavior: tells the status where proposals cannot be read', async () => {
    runtime.answers.delete('proposal.list');
    const { code, out } = await ran(['status']);
    expect(code).toBe(0);
    expect(out).toContain('could not be read: URL: no canned answer');
  });

  test('behavior: H71 a blind watcher is named, with why and what to look at', async () => {
    const [first] = Answers.ENABLED.chains;
    const why = 'no new block of eip155:1 for 95 s';
    const blind = { why, sinceMs: Answers.NOW_MS - 95_000 };
    const chains = [{ ...first!, inForce: false, watched: false, blind }];
    runtime.answers.set('status', ok({ ...Answers.LAPSED, chains }));
    const { out } = await ran(['status'], { terminal: 80 });
    expect(out.slice(out.indexOf('Proof of health'))).toMatchInlineSnapshot(`
      "Proof of health
        eip155:1   LAPSED 0 s ago
        heartbeat  sent 2 s ago, came through in 140 ms
        BLIND on eip155:1 since 1 min 35 s: no new block of eip155:1 for 95 s. It
        alone is not enabled.

      Next
        Nothing was tripped. These chains are enabled again by themselves once their
        watcher sees new blocks: see whether watch-chain runs, and whether the nodes
        that its secret names answer.
      "
    `);
  });

  test('behavior: no proof of health', async () => {
    runtime.answers.set('status', ok(Answers.LAPSED));
    expect((await ran(['status'], { terminal: 80 })).out).toMatchInlineSnapshot(`
      "NOT ENABLED: no proof of health

      Policy   starter, version 3, hash 0c5f41a6d7a0
      Mode     enforce
      Resume   TRIAL MODE: one operator alone can resume
      Asked    URL at 2023-09-12 13:33:09 UTC

      Proof of health
        eip155:1                                 LAPSED 1 min 1 s ago
        bip122:000000000019d6689c085ae165831e93  NO PROOF YET
        heartbeat                                sent 2 s ago, came through in 140 ms
        No chain is watched; only reported outflow is seen.

      Next
        Nothing was tripped. Withdrawals are enabled again by themselves once a
        heartbeat comes through: see whether tick and ingest-events run, and
        whether events lie in the dead-letter queue.
      "
    `);
  });

  test('behavior: some chains without proof of health', async () => {
    const [first, second] = Answers.LAPSED.chains;
    const chains = [first!, { ...second!, inForce: true, untilMs: Answers.NOW_MS + 9_000 }];
    runtime.answers.set('status', ok({ ...Answers.LAPSED, chains }));
    expect((await ran(['status'])).out.split('\n')[0]).toBe(
      'NOT ENABLED on 1 of 2 chains: no proof of health',
    );
  });

  test('behavior: no policy', async () => {
    runtime.answers.set('status', ok(Answers.NO_POLICY));
    expect((await ran(['status'], { terminal: 80 })).out).toMatchInlineSnapshot(`
      "NO POLICY

      Policy   none yet: everything is unknown, and blocked
      Asked    URL at 2023-09-12 13:33:09 UTC

      Proof of health
        heartbeat  none has come through the ingress yet

      Next
        breakwater policy check FILE, then breakwater policy apply FILE
      "
    `);
  });

  test('behavior: a quorum', async () => {
    const policy = { ...Answers.PAUSED.policy, resume: 'quorum' };
    runtime.answers.set('status', ok({ ...Answers.PAUSED, policy }));
    const { out } = await ran(['status']);
    expect(out).toContain('Resume   quorum: the resume of one operator alone is refused');
    expect(out).toContain('Lift     a quorum of operators');
  });

  test.each([
    ['ENABLED', Answers.ENABLED, 0],
    ['PAUSED', Answers.PAUSED, 5],
    ['LAPSED', Answers.LAPSED, 5],
    ['NO_POLICY', Answers.NO_POLICY, 5],
  ])('args: --check: %s', async (_name, status, code) => {
    runtime.answers.set('status', ok(status));
    expect((await ran(['status', '--check'])).code).toBe(code);
  });

  test('behavior: shadow mode stops nothing, and says what it would do', async () => {
    const policy = { ...Answers.PAUSED.policy, mode: 'shadow' };
    runtime.answers.set('status', ok({ ...Answers.PAUSED, policy }));
    const { code, out } = await ran(['status', '--check']);
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toBe(
      'ENABLED (SHADOW MODE: nothing is stopped; enforced it would be: PAUSED (2 incidents))',
    );
  });

  test('args: --json', async () => {
    runtime.answers.set('status', ok({ ...Answers.PAUSED, addedLater: 1 }));
    const { out, err } = await ran(['status', '--json']);
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({
      summary: 'paused',
      addedLater: 1,
      open: [{}, { first: { notional: '7420500000000' } }],
    });
  });

  test('behavior: colours repeat the words', async () => {
    const { out } = await ran(['status'], { env: { NO_COLOR: '', FORCE_COLOR: '1' } });
    expect(out.split('\n')[0]).toBe('\u001b[32mENABLED\u001b[39m');
  });

  test('error: an answer of another version', async () => {
    runtime.answers.set('status', ok({ summary: 'fine' }));
    const { code, out, err } = await ran(['status']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('not one that this version of breakwater knows');
  });
});

describe('limits', () => {
  beforeEach(() => runtime.answers.set('limits', ok(Answers.LIMITS)));

  test('default', async () => {
    const { code, out } = await ran(['limits'], { terminal: 80 });
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "  limit                in                              used          left
      wallet:eth-hot-1
        wallet-hour          1h ████████████   313%    $7,820,500         $0.00
        wallet-da…long-name 24h ████████████   100%    $2,500,000         $0.00
        wallet-single                                             $750,000 each
      wallet-asset:eth-hot-1|eip155:1/slip44:60
        eth-tokens-hour      1h ██████████░░    85% 1275.1234 ETH  224.8766 ETH shadow
      global
        all-hour             1h ████████░░░░    67%    $3,372,500    $1,627,500
        all-count           15m ░░░░░░░░░░░░     0%             0           250
      "
    `);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('behavior: over a limit is red, a reached one is not', async () => {
    const { out } = await ran(['limits'], { env: { NO_COLOR: '', FORCE_COLOR: '1' } });
    const coloured = (id: string) => out.split('\n').find((line) => line.includes(id)) ?? '';
    expect(coloured('wallet-hour')).toContain('\u001b[31m\u001b[1m  313%');
    expect(coloured('wallet-day')).not.toContain('\u001b[31m');
  });

  test('behavior: exact headroom where the service tells it', async () => {
    const lines = Answers.LIMITS.lines.map((line) => ({ ...line, headroomText: '224.8766 ETH' }));
    runtime.answers.set('limits', ok({ lines, truncated: false }));
    expect((await ran(['limits'])).out).toContain(' 224.8766 ETH');
  });

  test('behavior: hides unused limits beyond twenty', async () => {
    const lines = Array.from({ length: 25 }, (_, position) =>
      Answers.line({ limitId: `limit-${position}`, scope: `wallet:w-${position}` }),
    );
    runtime.answers.set('limits', ok({ lines, truncated: true }));
    const { out } = await ran(['limits']);
    expect(out).toContain('5 more limits without use; --all shows them.');
    expect(out).toContain('More scopes than one report reads');
    expect(out).not.toContain('limit-20');
    expect((await ran(['limits', '--all'])).out).toContain('limit-24');
  });

  test('args: --scope', async () => {
    await ran([
      'limits',
      '--scope',
      'destination:eip155:1:0xAB00000000000000000000000000000000000000',
    ]);
    expect(runtime.requests).toEqual([
      {
        command: 'limits',
        scope: 'destination:eip155:1:0xab00000000000000000000000000000000000000',
      },
    ]);
  });

  test('behavior: shadow mode', async () => {
    const lines = Answers.LIMITS.lines.map((line) => ({ ...line, mode: 'shadow' }));
    runtime.answers.set('limits', ok({ lines, truncated: false }));
    expect((await ran(['limits'])).out.split('\n')[0]).toBe(
      'SHADOW MODE: nothing is stopped by these limits',
    );
  });

  test('behavior: none', async () => {
    runtime.answers.set('limits', ok({ lines: [], truncated: false }));
    expect((await ran(['limits'])).out).toContain('No limit');
  });

  test('error: --scope', async () => {
    const { code, err } = await ran(['limits', '--scope', 'wallets']);
    expect(code).toBe(2);
    expect(err).toContain('"wallets" is not a scope');
    expect(runtime.requests).toEqual([]);
  });
});

describe('incidents', () => {
  beforeEach(() =>
    runtime.answers.set('incidents', ok([Answers.ISOLATED, Answers.TRIPPED, Answers.CLOSED])),
  );

  test('default', async () => {
    const { out } = await ran(['incidents'], { terminal: 80 });
    expect(out).toMatchInlineSnapshot(`
      "1HA4W5T20QRST  OPEN    destination:eip155:1:0x22222…2222222222222222222222222222
        2023-09-12 13:26:04 UTC (7 min 5 s ago)
        operator: paused by arn:aws:sts::123456…all/ada: \\u{1b}[2Jlooks like the thief
      1HA4VYR80K2M3  OPEN    key-domain:hot-vault
        2023-09-12 13:21:04 UTC (12 min 5 s ago)
        unmatched: outflow of 4,947 ETH from et…obody approved: it names no withdrawal
      1HA2XXXXXXXXX  CLOSED  key-domain:hot-vault
        2023-09-11 13:21:04 UTC (1 d ago)
        unmatched: outflow of 4,947 ETH from et…obody approved: it names no withdrawal
      "
    `);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('args: --open --json', async () => {
    const { out } = await ran(['incidents', '--open', '--json']);
    const listed = JSON.parse(out) as readonly { readonly incidentId: string }[];
    expect(listed.map(({ incidentId }) => incidentId)).toEqual(['1HA4W5T20QRST', '1HA4VYR80K2M3']);
  });

  test('behavior: none', async () => {
    runtime.answers.set('incidents', ok([]));
    expect((await ran(['incidents'])).out).toBe('No incidents.\n');
  });
});

describe('incident', () => {
  test('default', async () => {
    runtime.answers.set('incident', ok({ incident: Answers.TRIPPED, causes: Answers.CAUSES }));
    const { out } = await ran(['incident', '1ha4vyr80k2m3'], { terminal: 80 });
    expect(runtime.requests[0]).toEqual({ command: 'incident', incidentId: '1HA4VYR80K2M3' });
    expect(out).toMatchInlineSnapshot(`
      "Incident 1HA4VYR80K2M3  OPEN

      Scope    key-domain:hot-vault
      Opened   2023-09-12 13:21:04 UTC (12 min 5 s ago)
      Policy   version 3, opening 1 of this scope
      Lift     one operator alone (TRIAL MODE)

      2 causes
        2023-09-12 13:21:04 UTC  unmatched  $7,420,500
          outflow of 4,947 ETH from eth-hot-1 that nobody approved: it names no
          withdrawal
          outflow:eip155:1:0x8c8c8c8c8c8c8c8c8c8…c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c:top
        + 12 s                   limit  $400,000
          limit wallet-hour on wallet:eth-hot-1: $7,820,500 in 1h of $2,500,000
          allowed
          outflow:eip155:1:0x9d9d9d9d9d9d9d9d9d9…d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d:log:3

      Next
        A pause cannot stop somebody who holds the private keys: move what is left
        to safety first.
        breakwater limits --scope 'key-domain:hot-vault'
        breakwater resume 1HA4VYR80K2M3 --reason "…"
      "
    `);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('behavior: H83 resumed in steps, and whether it has opened again since', async () => {
    const resuming = {
      atMs: Answers.NOW_MS - 60_000,
      actors: ['operator:ada'],
      reason: 'r',
      epoch: 1,
    };
    const incident = { ...Answers.TRIPPED, resuming };
    runtime.answers.set('incident', ok({ incident, causes: Answers.CAUSES }));
    expect((await ran(['incident', '1HA4VYR80K2M3'])).out).toContain('Resuming in steps, since');
    const [first, second] = Answers.CAUSES;
    const causes = [first, { ...second, reopened: 2 }];
    runtime.answers.set('incident', ok({ incident, causes }));
    const { out } = await ran(['incident', '1HA4VYR80K2M3']);
    expect(out).toContain('it has OPENED AGAIN since');
  });

  test('behavior: closed', async () => {
    runtime.answers.set(
      'incident',
      ok({ incident: Answers.CLOSED, causes: [Answers.CLOSED.first] }),
    );
    const { out } = await ran(['incident', Answers.CLOSED.incidentId], { terminal: 80 });
    expect(out).toMatchInlineSnapshot(`
      "Incident 1HA2XXXXXXXXX  CLOSED

      Scope    key-domain:hot-vault
      Opened   2023-09-11 13:21:04 UTC (1 d ago)
      Closed   2023-09-11 15:18:04 UTC (22 h 15 min ago), after 1 h 57 min
      By       arn:aws:iam::123456789012:user/grace
      Reason   keys moved to cold storage
      Policy   version 3, opening 1 of this scope

      1 cause
        2023-09-11 13:21:04 UTC  unmatched  $7,420,500
          outflow of 4,947 ETH from eth-hot-1 that nobody approved: it names no
          withdrawal
          outflow:eip155:1:0x8c8c8c8c8c8c8c8c8c8…c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c:top

      Next
        breakwater limits --scope 'key-domain:hot-vault'
        breakwater status
      "
    `);
  });

  test('error: unknown', async () => {
    const error = 'there is no incident 1HA4VYR80K2M3';
    runtime.answers.set('incident', { status: 404, body: { error } });
    const { code, out, err } = await ran(['incident', '1HA4VYR80K2M3']);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatchInlineSnapshot(`
      "URL: there is no incident 1HA4VYR80K2M3
      List what there is: breakwater incidents
      "
    `);
  });

  test('error: no id', async () => {
    const { code, err } = await ran(['incident', 'last']);
    expect(code).toBe(2);
    expect(err).toContain('incidentId: must be an incident id');
    expect(runtime.requests).toEqual([]);
  });
});

describe('pause', () => {
  const paused = { kind: 'paused', scope: 'wallet:eth-hot-1', incidentId: '1HA4VYR80K2M3' };

  test('default', async () => {
    runtime.answers.set('pause', ok({ ...paused, already: false }));
    const { code, out, err } = await ran(['pause', 'wallet:eth-hot-1', '--reason', 'odd']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(runtime.requests[0]).toEqual({
      command: 'pause',
      commandId: '00000000-0000-4000-8000-000000000001',
      scope: 'wallet:eth-hot-1',
      reason: 'odd',
    });
    expect(out).toMatchInlineSnapshot(`
      "PAUSED wallet:eth-hot-1 on URL

      Look     breakwater incident 1HA4VYR80K2M3
      Resume   breakwater resume 1HA4VYR80K2M3 --reason "…"
      "
    `);
  });

  test('behavior: paused already', async () => {
    runtime.answers.set('pause', ok({ ...paused, already: true }));
    const { code, out } = await ran(['pause', 'wallet:eth-hot-1', '--reason', 'odd']);
    expect(code).toBe(0);
    expect(out).toContain('ALREADY PAUSED wallet:eth-hot-1');
  });

  test('behavior: a scope that nothing lies in is warned about', async () => {
    const doubt =
      'the policy knows no wallet eth-hot1, so this may stop nothing. It knows: eth-hot-1, btc-hot-1.';
    const answer = { ...paused, scope: 'wallet:eth-hot1', already: false, doubt };
    runtime.answers.set('pause', ok(answer));
    const { code, err } = await ran(['pause', 'wallet:eth-hot1', '--reason', 'odd']);
    expect(code).toBe(0);
    expect(err).toMatchInlineSnapshot(`
      "WARNING: the policy knows no wallet eth-hot1, so this may stop nothing. It knows: eth-hot-1, btc-hot-1.
      "
    `);
  });

  test('behavior: a pause in shadow mode is warned about', async () => {
    runtime.answers.set('pause', ok({ ...paused, already: false }));
    const policy = { ...Answers.PAUSED.policy, mode: 'shadow' };
    runtime.answers.set('status', ok({ ...Answers.PAUSED, policy }));
    const { err } = await ran(['pause', 'wallet:eth-hot-1', '--reason', 'odd', '--json']);
    expect(err).toBe('WARNING: the policy is in SHADOW MODE: withdrawals still flow.\n');
  });

  test('behavior: stays a success when it cannot be read back', async () => {
    runtime.answers.set('pause', ok({ ...paused, already: false }));
    runtime.answers.set('status', { status: 503, body: { error: 'time ran out' } });
    const { code, out, err } = await ran(['pause', 'wallet:eth-hot-1', '--reason', 'odd']);
    expect(code).toBe(0);
    expect(out).toContain('PAUSED wallet:eth-hot-1');
    expect(err).toContain('what it stops could not be read back');
  });

  test('error: no reason', async () => {
    const { code, err } = await ran(['pause', 'global']);
    expect(code).toBe(2);
    expect(err).toContain("required option '--reason <text>' not specified");
    expect((await ran(['pause', 'global', '--reason', ''])).code).toBe(2);
    expect(runtime.requests).toEqual([]);
  });

  test('error: the service is out of time', async () => {
    runtime.answers.set('pause', { status: 503, body: { error: 'time ran out' } });
    const { code, out, err } = await ran(['pause', 'global', '--reason', 'odd']);
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toMatchInlineSnapshot(`
      "URL: time ran out
      Whether anything was done is not known; look first: breakwater status
      "
    `);
  });
});

describe('resume', () => {
  const argv = ['resume', '1HA4VYR80K2M3', '--reason', 'checked'];

  test('default', async () => {
    const resumed = { kind: 'resumed', scope: 'key-domain:hot-vault', incidentId: '1HA4VYR80K2M3' };
    runtime.answers.set('resume', ok({ ...resumed, trial: true }));
    const { code, out } = await ran(argv);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "RESUMED key-domain:hot-vault on URL
      Done in TRIAL MODE: by one operator alone, without a quorum.

      Check    breakwater status
      Watch    breakwater limits

      A limit whose window is still over trips again with the next withdrawal.
      "
    `);
  });

  test('behavior: H83: what was resumed beyond the first cause is named', async () => {
    const resumed = { kind: 'resumed', scope: 'key-domain:hot-vault', incidentId: '1HA4VYR80K2M3' };
    runtime.answers.set('resume', ok({ ...resumed, trial: true, alsoUnmatched: 2 }));
    const { out } = await ran(argv);
    expect(out).toContain('WARNING: this incident also holds 2 unmatched outflows beyond');
    expect(out).toContain('1HA4VYR80K2M3');
  });

  test('behavior: carried out before', async () => {
    runtime.answers.set('resume', ok({ kind: 'duplicate' }));
    const { code, out } = await ran(argv);
    expect(code).toBe(0);
    expect(out).toContain('carried out before');
  });

  test('error: refused', async () => {
    const why = 'this policy asks for a quorum (resume: quorum): one operator alone cannot resume';
    runtime.answers.set('resume', { status: 409, body: { kind: 'refused', why } });
    const { code, out, err } = await ran([...argv, '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual({ kind: 'refused', why });
    expect(err).toBe(`Refused: ${why}.\n`);
  });
});

describe('withdrawal close', () => {
  const argv = ['withdrawal', 'close', 'w-1', '--as', 'failed', '--reason', 'never broadcast'];

  test('default', async () => {
    const recorded = { kind: 'recorded', withdrawalId: 'w-1', outcome: 'failed' };
    runtime.answers.set('withdrawal.close', ok({ ...recorded, givenBack: 1_234_500_000n }));
    const { code, out } = await ran(argv);
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "FAILED w-1 on URL
      $1,235 of budget given back, where its limits still counted it.
      "
    `);
    expect(runtime.requests.at(-1)).toEqual({
      command: 'withdrawal.close',
      withdrawalId: 'w-1',
      outcome: 'failed',
      reason: 'never broadcast',
    });
  });

  test('behavior: said before', async () => {
    runtime.answers.set('withdrawal.close', ok({ kind: 'duplicate', withdrawalId: 'w-1' }));
    expect(await ran(argv)).toMatchObject({
      code: 0,
      out: 'Withdrawal w-1 is failed already; nothing more was done.\n',
    });
  });

  test('error: refused', async () => {
    const why = 'its outflow was seen on chain (outflow:eip155:1:0xa:top)';
    const body = { kind: 'refused', withdrawalId: 'w-1', why };
    runtime.answers.set('withdrawal.close', { status: 409, body });
    const { code, out, err } = await ran([...argv, '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual(body);
    expect(err).toContain('was seen on chain');
  });

  test.each([
    ['no outcome', ['withdrawal', 'close', 'w-1', '--reason', 'x']],
    ['another outcome', ['withdrawal', 'close', 'w-1', '--as', 'settled', '--reason', 'x']],
    ['no reason', ['withdrawal', 'close', 'w-1', '--as', 'failed']],
  ])('error: %s asks nothing', async (_name, wrong) => {
    const count = runtime.requests.length;
    expect((await ran(wrong)).code).toBe(2);
    expect(runtime.requests.length).toBe(count);
  });
});

describe('movement declare', () => {
  const argv = [
    'movement',
    'declare',
    '--wallet',
    `eip155:1:0x${'11'.repeat(20)}`,
    '--asset',
    'eip155:1/slip44:60',
    '--to',
    `eip155:1:0x${'AB'.repeat(20)}`,
    '--max',
    '1500000000000000000',
    '--reason',
    'gas for the sweep',
  ];
  const untilMs = Answers.NOW_MS + 2 * 3_600_000;
  const declared = {
    kind: 'declared',
    movementId: '00000000-0000-4000-8000-000000000001',
    untilMs,
  };

  test('default', async () => {
    runtime.answers.set('movement.declare', ok(declared));
    const { code, out, err } = await ran([...argv, '--for', '2h'], { terminal: 80 });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatchInlineSnapshot(`
      "DECLARED 00000000-0000-4000-8000-000000000001 on URL
      From     eip155:1:0x1111111111111111111111111111111111111111
      To       eip155:1:0xabababababababababababababababababababab
      Asset    eip155:1/slip44:60
      Up to    1500000000000000000 base units in all
      Until    2023-09-12 15:33:09 UTC (in 2 h)
      What moves is counted as ever; limits still act on it.
      "
    `);
    expect(widest(out)).toBeLessThanOrEqual(80);
    expect(runtime.requests.at(-1)).toEqual({
      command: 'movement.declare',
      commandId: '00000000-0000-4000-8000-000000000001',
      wallet: `eip155:1:0x${'11'.repeat(20)}`,
      asset: 'eip155:1/slip44:60',
      destination: `eip155:1:0x${'ab'.repeat(20)}`,
      max: '1500000000000000000',
      until: new Date(untilMs).toISOString(),
      reason: 'gas for the sweep',
    });
  });

  test('args: --until, --memo: shown without control characters', async () => {
    runtime.answers.set('movement.declare', ok(declared));
    const bitcoin = 'bip122:000000000019d6689c085ae165831e93';
    const address = `${bitcoin}:1BoatSLRHtKNngkdXEeobR76b53LETtpyT`;
    const { code, out } = await ran([
      ...['movement', 'declare', '--wallet', address, '--asset', `${bitcoin}/slip44:0`],
      ...['--to', address, '--max', '0', '--memo', '42 | \u202e', '--reason', 'x'],
      ...['--until', '2023-09-12T18:00:00+02:00'],
    ]);
    expect(code).toBe(0);
    expect(out).toContain('Memo     42 | ');
    expect(out).not.toContain('\u202e');
    expect(runtime.requests.at(-1)).toMatchObject({
      memo: '42 | \u202e',
      until: '2023-09-12T16:00:00.000Z',
    });
  });

  test('args: --json', async () => {
    runtime.answers.set('movement.declare', ok(declared));
    const { code, out } = await ran([...argv, '--for', '30m', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(declared);
  });

  test('behavior: declared before', async () => {
    runtime.answers.set('movement.declare', ok({ kind: 'duplicate' }));
    expect(await ran([...argv, '--for', '2h'])).toMatchObject({
      code: 0,
      out: 'This movement is declared already; nothing more was done.\n',
    });
  });

  test('error: refused', async () => {
    const body = { kind: 'refused', why: 'it ends more than 7 days ahead' };
    runtime.answers.set('movement.declare', { status: 409, body });
    const { code, out, err } = await ran([...argv, '--for', '8d', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toEqual(body);
    expect(err).toContain('more than 7 days ahead');
  });

  test.each([
    ['no end', argv, '--until or --for'],
    ['two ends', [...argv, '--for', '2h', '--until', '2023-09-12T18:00:00Z'], '--until or --for'],
    ['a span without a unit', [...argv, '--for', '2'], '--for: 2'],
    ['a span of nothing', [...argv, '--for', '0h'], '--for: 0h'],
    ['a time without a zone', [...argv, '--until', '2023-09-12T18:00:00'], '--until'],
    ['a wallet’s name', [...argv, '--for', '2h', '--wallet', 'eth-hot-1'], '--wallet'],
    ['a symbol', [...argv, '--for', '2h', '--asset', 'ETH'], '--asset'],
    [
      'a mistyped address',
      [...argv, '--for', '2h', '--to', 'eip155:1:0x8bf8cd7F001D0584F98F53a3d82eD0bA498cC3dF'],
      '--to',
    ],
    ['an amount in ETH', [...argv, '--for', '2h', '--max', '1.5'], 'max'],
    ['another chain', [...argv, '--for', '2h', '--asset', 'eip155:10/slip44:60'], 'asset: is on'],
  ])('error: %s asks nothing', async (_name, wrong, named) => {
    const { code, err } = await ran(wrong);
    expect(code).toBe(2);
    expect(err).toContain(named);
    expect(runtime.requests).toEqual([]);
  });
});

describe('flag', () => {
  const argv = ['flag', '--wallet', 'eth-hot-1', '--asset', 'eip155:1/slip44:60'];

  test('default', async () => {
    const inForceUntilMs = Answers.NOW_MS + 40_000;
    const text = 'withdrawals are enabled';
    runtime.answers.set('flag', ok({ enabled: true, reason: 'enabled', text, inForceUntilMs }));
    const { code, out } = await ran(argv);
    expect(code).toBe(0);
    expect(runtime.requests).toEqual([
      { command: 'flag', wallet: 'eth-hot-1', asset: 'eip155:1/slip44:60' },
    ]);
    expect(out).toMatchInlineSnapshot(`
      "ENABLED: withdrawals are enabled
      Holds    until 2023-09-12 13:33:49 UTC, without another look
      "
    `);
  });

  test('behavior: not enabled', async () => {
    const { incidentId, scope, openedAtMs: sinceMs } = Answers.TRIPPED;
    const text = `${scope} is paused, incident ${incidentId}`;
    const flag = { enabled: false, reason: 'breaker-open', text, scope, incidentId, sinceMs };
    runtime.answers.set('flag', ok(flag));
    const { code, out } = await ran(argv);
    expect(code).toBe(5);
    expect(out).toMatchInlineSnapshot(`
      "NOT ENABLED: key-domain:hot-vault is paused, incident 1HA4VYR80K2M3
      Scope    key-domain:hot-vault
      Since    2023-09-12 13:21:04 UTC
      Look     breakwater incident 1HA4VYR80K2M3
      "
    `);
  });

  test('behavior: H32 unreadable is not enabled', async () => {
    runtime.answers.set('flag', ok({ enabled: 'yes' }));
    const { code, out } = await ran([...argv, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ enabled: false, reason: 'unreachable' });
  });

  test('behavior: H32 unreachable is not enabled', async () => {
    const { code, out } = await run([...argv, '--url', 'http://127.0.0.1:9']);
    expect(code).toBe(4);
    expect(out).toMatch(/^NOT ENABLED: cannot tell, so not enabled/);
  });
});

describe('send', () => {
  const lines = (...values: readonly unknown[]) =>
    values.map((each) => JSON.stringify(each)).join('\n');

  test('default', async () => {
    const path = file('events.jsonl', lines(event(1), event(2)));
    const { code, out, err } = await ran(['send', path]);
    expect({ code, out, err }).toEqual({ code: 0, out: '2 events accepted by URL\n', err: '' });
    expect(runtime.events).toEqual([[event(1), event(2)]]);
  });

  test('args: -: standard input, in chunks', async () => {
    const events = Array.from({ length: 60 }, (_, position) => event(position));
    const { out, err } = await ran(['send', '-', '--json'], { stdin: lines(...events) });
    expect(JSON.parse(out)).toEqual({ accepted: 60, invalid: [] });
    expect(err).toBe('');
    expect(runtime.events.map((chunk) => (chunk as unknown[]).length)).toEqual([25, 25, 10]);
  });

  test('behavior: progress on a terminal, erased at the end', async () => {
    const events = Array.from({ length: 60 }, (_, position) => event(position));
    const { err } = await ran(['send', '-'], { stdin: lines(...events), terminal: 80 });
    expect(err).toBe('\rsent 0 of 60\rsent 25 of 60\rsent 50 of 60\r\u001b[K');
  });

  test('error: one invalid event holds all', async () => {
    const stdin = lines(event(1), event(2, { amount: '1.5' }));
    const { code, out, err } = await ran(['send'], { stdin });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatchInlineSnapshot(`
      "line 2: detail.amount: must be a decimal string of base units such as "1000000", without sign, point or exponent
      Nothing was sent. Correct 1 event, or use --skip-invalid.
      "
    `);
    expect(runtime.events).toEqual([]);
  });

  test('args: --skip-invalid', async () => {
    const stdin = lines(event(1), event(2, { amount: '1.5' }));
    const { code, out } = await ran(['send', '--skip-invalid'], { stdin });
    expect({ code, out }).toEqual({ code: 2, out: '1 event accepted by URL\n' });
    expect(runtime.events).toEqual([[event(1)]]);
  });

  test('error: broken off half way', async () => {
    const events = Array.from({ length: 30 }, (_, position) => event(position));
    runtime.eventsAnswer = (given) =>
      given.length === 25
        ? { status: 202, body: { accepted: 25 } }
        : { status: 503, body: { error: 'busy' } };
    const { code, err } = await ran(['send'], { stdin: lines(...events) });
    expect(code).toBe(4);
    expect(err).toMatchInlineSnapshot(`
      "25 of 30 events were accepted before this.
      The runtime did not take 5 events (HTTP 503).
      Look at its log, then send the same again: an event counts once.
      "
    `);
  });

  test('error: refused by the runtime', async () => {
    const body = { error: 'malformed', problems: ['event 1: detail.memo: too long'] };
    runtime.eventsAnswer = () => ({ status: 400, body });
    const { code, err } = await ran(['send'], { stdin: lines(event(1)) });
    expect(code).toBe(2);
    expect(err).toContain('event 1: detail.memo: too long');
  });

  test('error: nothing to send', async () => {
    expect((await ran(['send'], { stdin: '' })).code).toBe(2);
    expect((await ran(['send', join(folder, 'absent')])).err).toContain('there is no such file');
  });
});

describe('policy check', () => {
  test('default', async () => {
    const { code, out } = await run(['policy', 'check', 'examples/policies/starter.yaml'], {
      cwd: process.cwd(),
    });
    expect(code).toBe(0);
    expect(out.replace(/Hash.*\n/, '')).toMatchInlineSnapshot(`
      "VALID examples/policies/starter.yaml: policy starter
      Mode     shadow: reports, stops nothing
      Resume   trial: one operator alone can resume, at once
      Holds    10 limits, 2 wallets, 5 assets, 3 chains
      "
    `);
  });

  test('behavior: with a quorum it says what changing it takes', async () => {
    const path = file('armed.yaml', ARMED);
    const { out } = await run(['policy', 'check', path], { terminal: 80 });
    expect(out.replaceAll(folder, 'DIR').replace(/Hash.*\n/, '')).toMatchInlineSnapshot(`
      "VALID DIR/armed.yaml: policy quorum
      Mode     enforce
      Resume   2 of 3 operators have to sign; in 4 steps
      Changes  what loosens it takes 2 operators and 24 h, what takes rights from
               people 2 operators (policy propose); all else applies at once
      Holds    5 limits, 1 wallet, 3 assets, 1 chain
      "
    `);
  });

  test('error: line, field and what is allowed', async () => {
    const path = file('bad.yaml', STARTER.replace('window: 5m', 'window: 2h'));
    const { code, out, err } = await run(['policy', 'check', path, '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ ok: false, problems: [{ path: 'limits[2].window' }] });
    expect(err).toContain('limits[2].window: "2h" is not a window');
  });
});

describe('policy diff', () => {
  test('default', async () => {
    const path = file('next.yaml', STARTER.replace('limit: "5000000"', 'limit: "9000000"'));
    const { code, out } = await ran(['policy', 'diff', path]);
    expect(code).toBe(0);
    expect(out.replaceAll(folder, 'DIR')).toMatchInlineSnapshot(`
      "version 3 on URL → DIR/next.yaml

      LOOSENS   limit all-hour: limit $5,000,000 → $9,000,000 (more may leave)

      1 change: 1 loosens

      Applies at once: in TRIAL MODE one operator alone changes anything.
        breakwater policy apply DIR/next.yaml --reason "…"
      "
    `);
  });

  test('behavior: with a quorum', async () => {
    runtime.answers.set('policy.show', ok(stored(ARMED)));
    const own = 'own: ["eip155:1:0x2222222222222222222222222222222222222222"]';
    const next = ARMED.replace(/ {2}- \{ name: monitor.*\n/, '').replace('"5000000"', '"4000000"');
    const path = file('next.yaml', `${next}\n${own}\n`);
    const { out } = await ran(['policy', 'diff', path], { terminal: 80 });
    expect(out.replaceAll(folder, 'DIR')).toMatchInlineSnapshot(`
      "version 3 on URL → DIR/next.yaml

      REVOKES   operator monitor: removed: address
                0x1000000000000000000000000000000000000004, roles panic, contact the
                partner's desk (somebody has no rights any more)
      LOOSENS   own eip155:1:0x2222222222222222222222222222222222222222: added (what
                goes there needs no approval, counts nothing and passes a pause)
      tightens  limit all-hour: limit $5,000,000 → $4,000,000 (less may leave)

      3 changes: 1 loosens, 1 revokes, 1 tightens

      Needs 2 operators and 24 h.
        breakwater policy propose DIR/next.yaml --reason "…"
      "
    `);
  });

  test('behavior: what loosens nothing, and what only takes rights from people', async () => {
    runtime.answers.set('policy.show', ok(stored(ARMED)));
    const tighter = file('tighter.yaml', ARMED.replace('"5000000"', '"4000000"'));
    const { out } = await ran(['policy', 'diff', tighter]);
    expect(out).toContain('Applies at once: it loosens nothing');
    const fewer = file('fewer.yaml', ARMED.replace(/ {2}- \{ name: monitor.*\n/, ''));
    expect((await ran(['policy', 'diff', fewer])).out).toContain(
      'Needs 2 operators, without a delay.',
    );
  });

  test('behavior: H46: what is refused whoever agrees, also by what went before', async () => {
    const retired = [
      {
        kind: 'address',
        address: 'eip155:1:0x1111111111111111111111111111111111111111',
        wallet: 'eth-hot-0',
        keyDomain: 'hot-vault',
        lastNamedMs: Answers.OPENED_MS,
      },
      { kind: 'asset', pattern: 'eip155:*', decimals: 18, floorPricePicoUsd: 5n, lastNamedMs: 1 },
    ];
    const without = ARMED.replace('0x1111', '0x9111');
    runtime.answers.set('policy.show', ok({ ...stored(without), retired }));
    const path = file('next.yaml', ARMED);
    const { out } = await ran(['policy', 'diff', path], { terminal: 80 });
    expect(out.slice(out.indexOf('Refused'))).toMatchInlineSnapshot(`
      "Refused whoever agrees: wallets.eth-hot-1.addresses:
        eip155:1:0x1111111111111111111111111111111111111111 counts in wallet eth-hot-0
        in key domain hot-vault until 33 days after it was last named so
        (2023-10-15T13:21Z at the earliest); give the other wallet another address.
      "
    `);
    expect(out).not.toContain('policy propose');
  });

  test('args: --json', async () => {
    runtime.answers.set('policy.show', ok(stored(ARMED)));
    const path = file('next.yaml', ARMED.replace('"5000000"', '"9000000"'));
    const { out } = await ran(['policy', 'diff', path, '--json']);
    expect(JSON.parse(out)).toMatchObject({
      changes: [{ what: 'limit all-hour', direction: 'loosens', why: 'more may leave' }],
      direction: 'loosens',
      outlook: { kind: 'quorum', quorum: 2, delayMs: 86_400_000 },
    });
  });

  test.each([
    ["it's next.yaml", `'it'\\''s next.yaml'`],
    ['-', 'FILE'],
  ])('behavior: the command for the file %s can be copied', async (name, word) => {
    const old = file('old.yaml', STARTER);
    file("it's next.yaml", STARTER.replace('"5000000"', '"4000000"'));
    const stdin = STARTER.replace('"5000000"', '"4000000"');
    const argv = ['policy', 'diff', name, '--against', old];
    const { out } = await run(argv, { cwd: folder, stdin });
    expect(out).toContain(`  breakwater policy apply ${word} --reason "…"\n`);
  });

  test('args: --against, offline', async () => {
    const old = file('old.yaml', STARTER);
    const same = file('same.yaml', `# a comment\n${STARTER}`);
    const { code, out } = await run(['policy', 'diff', same, '--against', old]);
    expect(code).toBe(0);
    expect(out).toContain('The same rules; only comments or layout differ.');
  });

  test('behavior: before the first policy', async () => {
    runtime.answers.set('policy.show', ok({ version: 0 }));
    const { out } = await ran(['policy', 'diff', file('first.yaml', STARTER)]);
    expect(out).toContain('No policy is in force yet');
  });
});

describe('policy apply', () => {
  const path = () => file('next.yaml', STARTER.replace('limit: "5000000"', 'limit: "9000000"'));
  beforeEach(() => {
    runtime.answers.set('policy.apply', ok({ kind: 'policy-applied', version: 4, hash: 'ab12' }));
  });
  const applied = () => runtime.requests.filter(({ command }) => command === 'policy.apply').length;

  test('default', async () => {
    const { code, out, err } = await ran(['policy', 'apply', path()], { answer: 'y' });
    expect({ code, out }).toEqual({ code: 0, out: 'IN FORCE version 4, hash ab12, on URL\n' });
    expect(err).toContain('LOOSENS   limit all-hour: limit $5,000,000 → $9,000,000 (more may');
    expect(err).toContain('Applies at once: in TRIAL MODE');
    expect(err).toMatch(/Put .*next\.yaml in force on URL\? \[y\/N\]/);
    expect(applied()).toBe(1);
  });

  test.each(['', 'n', 'yes please'])('behavior: not confirmed by %j', async (answer) => {
    const { code, err } = await ran(['policy', 'apply', path()], { answer });
    expect(code).toBe(3);
    expect(err).toContain('Nothing was changed.');
    expect(applied()).toBe(0);
  });

  test('args: --yes', async () => {
    expect((await ran(['policy', 'apply', path(), '--yes'])).code).toBe(0);
    expect(applied()).toBe(1);
  });

  test('args: --reason', async () => {
    const sent = () => runtime.requests.findLast(({ command }) => command === 'policy.apply');
    await ran(['policy', 'apply', path(), '--yes', '--reason', 'more customers']);
    expect(sent()).toMatchObject({ reason: 'more customers' });
    await ran(['policy', 'apply', path(), '--yes']);
    expect(sent()).not.toHaveProperty('reason');
  });

  test('behavior: with a quorum, what tightens is applied with a reason', async () => {
    runtime.answers.set('policy.show', ok(stored(ARMED)));
    const tighter = file('tighter.yaml', ARMED.replace('"5000000"', '"4000000"'));
    const without = await ran(['policy', 'apply', tighter, '--yes']);
    expect({ code: without.code, applied: applied() }).toEqual({ code: 2, applied: 0 });
    expect(without.err).toContain('Add --reason');
    const argv = ['policy', 'apply', tighter, '--reason', 'a thief'];
    expect(await ran(argv, { answer: 'y', terminal: 80 })).toMatchObject({
      code: 0,
      err: expect.stringContaining('Applies at once: it loosens nothing'),
    });
    expect(applied()).toBe(1);
  });

  describe('with a quorum, what loosens', () => {
    const looser = () => file('looser.yaml', ARMED.replace('"5000000"', '"9000000"'));
    const argv = () => ['policy', 'apply', looser(), '--reason', 'more customers'];
    const why = 'this loosens the policy: limit all-hour limit $5,000,000 → $9,000,000';
    beforeEach(() => {
      runtime.answers.set('policy.show', ok(stored(ARMED)));
      runtime.answers.set('policy.apply', { status: 409, body: { kind: 'refused', why } });
    });

    test('behavior: is told before anybody is asked', async () => {
      looser();
      const relative = ['policy', 'apply', 'looser.yaml', '--reason', 'more customers'];
      const { code, err } = await ran(relative, { answer: 'n', terminal: 80, cwd: folder });
      expect({ code, applied: applied() }).toEqual({ code: 3, applied: 0 });
      expect(err).toMatchInlineSnapshot(`
        "LOOSENS   limit all-hour: limit $5,000,000 → $9,000,000 (more may leave)

        1 change: 1 loosens

        Needs 2 operators and 24 h.
        Mode: enforce.
        The service will refuse this. Send it all the same? [y/N] Nothing was changed.
        Propose it instead:
          breakwater policy propose looser.yaml --reason "…"
        "
      `);
    });

    test('error: is refused by the service, with the command that proposes it', async () => {
      const { code, out, err } = await ran([...argv(), '--yes', '--json']);
      expect({ code, applied: applied() }).toEqual({ code: 3, applied: 1 });
      expect(JSON.parse(out)).toEqual({ kind: 'refused', why });
      expect(err).toContain(`Refused: ${why}.\nPropose it instead:\n  breakwater policy propose `);
    });

    test('error: nobody to ask', async () => {
      const { code, err } = await ran(argv());
      expect({ code, applied: applied() }).toEqual({ code: 2, applied: 0 });
      expect(err).toContain('breakwater policy propose');
    });

    test('error: a refusal of IAM says what is missing there', async () => {
      runtime.answers.set('policy.apply', { status: 403, body: { Message: 'Forbidden' } });
      expect((await ran([...argv(), '--yes'])).err).toContain('OperatorPolicyArn');
    });
  });

  test('error: nobody to ask', async () => {
    const { code, err } = await ran(['policy', 'apply', path()]);
    expect(code).toBe(2);
    expect(err).toContain('Add --yes');
    expect(applied()).toBe(0);
  });

  test('behavior: the text in force already', async () => {
    const { code, out } = await ran(['policy', 'apply', file('same.yaml', STARTER)]);
    expect({ code, applied: applied() }).toEqual({ code: 0, applied: 0 });
    expect(out).toContain('nothing to do');
  });

  test.each([
    ['is missing', undefined],
    ['differs', '{}'],
  ])('behavior: the text in force already, but its compiled form %s', async (_how, compiled) => {
    runtime.answers.set('policy.show', ok({ ...stored(STARTER), compiled }));
    const { code, err } = await ran(['policy', 'apply', file('same.yaml', STARTER), '--yes']);
    expect({ code, applied: applied() }).toEqual({ code: 0, applied: 1 });
    expect(err).toContain('The same text; what the service decides by is not what it says');
  });

  test('behavior: somebody else was faster', async () => {
    runtime.answers.set('policy.apply', ok({ kind: 'policy-applied', version: 5, hash: 'ab12' }));
    const { err } = await ran(['policy', 'apply', path(), '--yes']);
    expect(err).toContain('Another policy came into force in between');
  });

  test('error: an invalid file is never sent', async () => {
    const { code } = await ran(['policy', 'apply', file('bad.yaml', 'name: x'), '--yes']);
    expect({ code, requests: runtime.requests }).toEqual({ code: 2, requests: [] });
  });
});

describe('policy show', () => {
  test('default', async () => {
    const how = {
      reason: 'more customers',
      beforeHash: 'b'.repeat(64),
      judged: { tightens: 2, loosens: 1, revokes: 0, neutral: 0 },
    };
    runtime.answers.set('policy.show', ok({ ...stored(STARTER), ...how }));
    const { code, out, err } = await ran(['policy', 'show'], { terminal: 80 });
    expect({ code, out }).toEqual({ code: 0, out: STARTER });
    expect(err).toMatchInlineSnapshot(`
      "Version  3 on URL
      Hash     00c54e5b7946f7a060a4bce623cffda5574eb4548be1a34aaef94701dbe19656
      By       ada
      Since    2023-09-12 13:21:04 UTC (12 min 5 s ago)
      Reason   more customers
      Replaced bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
      Changed  2 tightened, 1 loosened

      "
    `);
  });

  test('behavior: the first version, applied without a reason', async () => {
    const { err } = await ran(['policy', 'show']);
    expect(err).toContain('Reason   none given');
    expect(err).not.toMatch(/Replaced|Changed|WARNING/);
  });

  test('behavior: a reason is shown harmless', async () => {
    runtime.answers.set('policy.show', ok({ ...stored(STARTER), reason: 'a\u202eb' }));
    expect((await ran(['policy', 'show'])).err).toContain('a\\u{202e}b');
  });

  test('behavior: before the first policy', async () => {
    runtime.answers.set('policy.show', ok({ version: 0 }));
    const { code, out, err } = await ran(['policy', 'show']);
    expect({ code, out, err }).toEqual({ code: 0, out: '', err: 'No policy is in force yet.\n' });
  });

  test('behavior: H51: warns where the service decides by something else', async () => {
    const { policy } = compilePolicy(STARTER);
    const looser = toCompiled({ ...policy, limits: [] });
    runtime.answers.set('policy.show', ok({ ...stored(STARTER), compiled: looser }));
    const { code, out, err } = await ran(['policy', 'show']);
    expect({ code, out }).toEqual({ code: 0, out: STARTER });
    expect(err).toContain('does NOT decide by what this text says');
    expect((await ran(['policy', 'show', '--json'])).err).toContain('does NOT decide');
  });

  test('behavior: warns of a hash that is another text’s', async () => {
    runtime.answers.set('policy.show', ok({ ...stored(STARTER), hash: 'h' }));
    expect((await ran(['policy', 'show'])).err).toContain('The hash of version 3 is not that');
  });

  test('behavior: warns of a policy that an older service stored', async () => {
    const { compiled: _, ...older } = stored(STARTER);
    runtime.answers.set('policy.show', ok(older));
    const { out, err } = await ran(['policy', 'show']);
    expect(out).toBe(STARTER);
    expect(err).toContain('nothing is decided by it');
  });

  test('behavior: a text that this version does not take is shown, with a warning', async () => {
    const source = 'version: 2\n';
    const shown = { ...stored(STARTER), source, hash: nodeDigest.hash(source) };
    runtime.answers.set('policy.show', ok(shown));
    const { out, err } = await ran(['policy', 'show']);
    expect(out).toBe(source);
    expect(err).toContain('does NOT decide');
  });
});
