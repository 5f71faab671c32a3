import { describe, expect, test } from 'vitest';
import { soundPanic } from '../../lib/actions/sound-panic.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import type { TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import {
  approveAs,
  commandId,
  type Person,
  proposed,
  quorumPolicy,
  quorumWorld,
  resumeOf,
  SCOPE,
  STACK_ID,
  signAs,
} from '../support/signing.ts';

const LIMITED = quorumPolicy({ limits: [Build.limit()] });

function panicOf(made: TestWorld, overrides: Partial<TypedData.Panic> = {}): TypedData.Panic {
  const expiresAtMs = made.clock.nowMs + Build.MINUTE_MS;
  return {
    commandId: commandId(),
    scope: SCOPE,
    reason: 'strange traffic',
    expiresAtMs,
    ...overrides,
  };
}

async function soundAs(made: TestWorld, who: Person, panic: TypedData.Panic) {
  const signature = await signAs(who, TypedData.ofPanic(panic, { stackId: STACK_ID }));
  return soundPanic(made.world.ceremony, { panic, signature });
}

async function itemOf({ world }: TestWorld, scope = SCOPE) {
  const { items } = await world.store.decisions.load({ rows: [], items: [scope] });
  return items.get(scope);
}

describe('soundPanic', () => {
  test.each(['partner', 'alice'] as const)(
    'default: %s stops a scope, and people hear of it',
    async (who) => {
      const made = await quorumWorld();
      expect(await soundAs(made, who, panicOf(made))).toMatchObject({
        kind: 'paused',
        already: false,
      });
      expect((await itemOf(made))?.breaker).toMatchObject({ state: 'isolated' });
      expect(made.records).toContainEqual({
        type: 'alert-raised',
        alert: expect.objectContaining({
          kind: 'panic',
          text: `${SCOPE}: paused by operator:${who}: strange traffic`,
        }),
      });
    },
  );

  test('behavior: once, however often it is sent (H81)', async () => {
    const made = await quorumWorld();
    const panic = panicOf(made);
    await soundAs(made, 'partner', panic);
    expect(await soundAs(made, 'partner', panic)).toEqual({ kind: 'duplicate' });
    const other = await soundAs(made, 'partner', { ...panic, scope: 'global' });
    expect(other).toMatchObject({ kind: 'refused' });
    expect((await itemOf(made, 'global'))?.breaker.state).toBe('closed');
  });

  test('behavior: tightening takes the minimum, and only the quorum lifts it, without delay (H52)', async () => {
    const made = await quorumWorld(LIMITED);
    const first = await soundAs(made, 'partner', panicOf(made, { shareBps: 2_500 }));
    expect(first).toMatchObject({ kind: 'tightened', already: false });
    await soundAs(made, 'partner', panicOf(made, { shareBps: 9_000 }));
    expect((await itemOf(made))?.overlay).toMatchObject({ shareBps: 2_500 });
    await soundAs(made, 'alice', panicOf(made, { shareBps: 1_000 }));
    expect((await itemOf(made))?.overlay).toMatchObject({ shareBps: 1_000 });
    const incidentId = first.kind === 'tightened' ? first.incidentId : '';
    const { proposalId } = await proposed(made, resumeOf(incidentId));
    for (const who of ['bob', 'carol'] as const) await approveAs(made, who, proposalId);
    expect((await itemOf(made))?.overlay).toBeUndefined();
  });

  test.each([
    ['past', { expiresAtMs: Build.T0_MS }, /^expires: is past/],
    [
      'far away',
      { expiresAtMs: Build.T0_MS + Build.HOUR_MS + 1 },
      /^expires: is more than an hour/,
    ],
    ['no share', { shareBps: 10_000 }, /overlay allows/],
    ['a negative share', { shareBps: -1 }, /overlay allows/],
  ] as const)('error: %s', async (_name, overrides, why) => {
    const made = await quorumWorld();
    const result = await soundAs(made, 'partner', panicOf(made, overrides));
    expect(result).toMatchObject({ kind: 'refused', why: expect.stringMatching(why) });
    expect((await itemOf(made))?.breaker.state ?? 'closed').toBe('closed');
  });

  test('error: a stranger, and a signature over something else, change nothing', async () => {
    const made = await quorumWorld();
    expect(await soundAs(made, 'mallory', panicOf(made))).toMatchObject({ kind: 'refused' });
    const panic = panicOf(made);
    const signature = await signAs(
      'partner',
      TypedData.ofPanic(panic, { stackId: 'cd'.repeat(32) }),
    );
    const result = await soundPanic(made.world.ceremony, { panic, signature });
    expect(result).toMatchObject({ kind: 'refused', why: expect.stringContaining('no operator') });
    expect(await itemOf(made)).toBeUndefined();
  });

  test('error: a scope that is none', async () => {
    const made = await quorumWorld();
    await expect(soundAs(made, 'partner', panicOf(made, { scope: 'nonsense' }))).rejects.toThrow(
      'is not a scope',
    );
  });
});
