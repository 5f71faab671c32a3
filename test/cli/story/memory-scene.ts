/** A scene without engine, queue or HTTP: the same actions and the same function for commands, over the in-memory store and one clock. */

import { projectState } from '../../../lib/actions/project-state.ts';
import { readFlag } from '../../../lib/actions/read-flag.ts';
import { recordEvents } from '../../../lib/actions/record-events.ts';
import { createMemoryStore } from '../../../lib/adapters/memory/store.ts';
import { nodeDigest } from '../../../lib/adapters/node-digest.ts';
import { compilePolicy } from '../../../lib/adapters/policy-file/compile.ts';
import { typedSignatures } from '../../../lib/adapters/typed-signature.ts';
import { fromEnvelope } from '../../../lib/adapters/wire/event.ts';
import type { Scene } from '../../../lib/cli/story/scene.ts';
import type { Transport } from '../../../lib/cli/transport.ts';
import { chainsOf } from '../../../lib/domain/health.ts';
import type { Message } from '../../../lib/domain/page.ts';
import { canonicalBody } from '../../../lib/domain/withdrawal.ts';
import { localContext } from '../../../lib/local/context.ts';
import { questionOf } from '../../../lib/local/replay/question.ts';
import type { Stage } from '../../../lib/local/replay/run.ts';
import type { TimelineItem } from '../../../lib/local/replay/timeline.ts';
import { operateBreaker } from '../../../lib/runtime/operate-breaker.ts';
import { createWorld, operatedBy, type World } from '../../../lib/runtime/world.ts';
import { testSigner } from '../../support/signer.ts';

const CALL_MAX_MS = 5_000;
const none = () => undefined;

/** Names that count up: `INCIDENT1`, `INCIDENT2`. */
export function counter(prefix: string): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}${count}`;
  };
}

/** Opens a scene with a policy in force at `startMs`. Ids count up, so that a story reads the same every time. */
export async function memoryScene(policySource: string, startMs: number): Promise<Scene> {
  let nowMs = startMs;
  const messages: Message[] = [];
  const world = createMemoryWorld({ nowMs: () => nowMs }, messages);
  const transport = transportTo(world);
  const command = {
    command: 'policy.apply',
    commandId: 'story-policy',
    source: policySource,
  } as const;
  await transport.ask(command);
  const { policy } = await world.decision.policy.refresh();
  const { health } = world.store;
  const tick = async () => {
    const untilMs = nowMs + policy.timing.leaseMs;
    await health.renew(
      Object.fromEntries(chainsOf(policy).map((chain) => [chain, untilMs])),
      nowMs,
    );
  };
  const stage: Stage = {
    policy,
    advanceTo: (atMs) => {
      nowMs = Math.max(nowMs, atMs);
      return tick();
    },
    flag: (item) => readFlag({ ...world, ...world.decision, health }, questionOf(item)),
    incident: (incidentId) => world.store.incidents.get(incidentId),
    send: (item) => send(world, item),
  };
  return { stage, transport, messages: () => messages, tick, nowMs: () => nowMs, address: '' };
}

function createMemoryWorld(clock: World['clock'], messages: Message[]): World {
  const decisionId = counter('decision-');
  const incidentId = counter('INCIDENT');
  return createWorld({
    store: createMemoryStore(),
    clock,
    ids: { decisionId, incidentId: () => incidentId(), stackId: () => 'ab'.repeat(32) },
    digest: nodeDigest,
    notifier: {
      send: async (message) => {
        messages.push(message);
      },
    },
    events: { send: async () => undefined },
    rejects: { send: async () => undefined },
    deadLetters: { count: async () => 0 },
    redelivery: { soon: async () => undefined },
    signer: testSigner(),
    log: { info: none, error: none },
    sleep: async () => undefined,
    random: () => 0,
  });
}

function transportTo(world: World): Transport {
  const operate = operateBreaker(operatedBy(world, { compilePolicy, signatures: typedSignatures }));
  const userArn = 'local:operator';
  return {
    target: 'the scene',
    eventsMax: 1,
    send: async () => undefined,
    tables: async () => {
      throw new Error('a scene has no tables');
    },
    ask: async (request) => {
      const body = JSON.stringify(request);
      const event = { body, requestContext: { authorizer: { iam: { userArn } } } };
      const answer = await operate(event, localContext('operate-breaker', CALL_MAX_MS));
      return { status: answer?.statusCode ?? 500, body: JSON.parse(answer?.body ?? 'null') };
    },
  };
}

async function send(world: World, item: TimelineItem) {
  const event = fromEnvelope({ 'detail-type': item.detailType, detail: item.detail });
  if (event.kind !== 'withdrawal' && event.kind !== 'outflow') return { opened: [] };
  const bodyHash = nodeDigest.hash(canonicalBody(event.transfer));
  const incoming = { kind: 'transfer', event, bodyHash, lagMs: 0 } as const;
  const [recorded] = await recordEvents(world.decision, [incoming]);
  if (recorded?.kind !== 'decided') throw recorded?.error ?? new Error('nothing was recorded');
  const opened = recorded.outcome.trips.filter((trip) => trip.opened);
  for (const { incidentId } of opened) {
    const incident = await world.store.incidents.get(incidentId);
    if (incident)
      await projectState({ ...world, ...world.store }, { type: 'incident-opened', incident });
  }
  return { opened };
}
