/** What is counted when answers get lost and events come twice: Breakwater beside rate-limiter-flexible. */

import { setTimeout as sleep } from 'node:timers/promises';
import { recordEvents } from '../lib/actions/record-events.ts';
import * as Meter from '../lib/domain/meter.ts';
import * as Random from '../lib/local/replay/random.ts';
import { systemClock } from '../lib/runtime/system.ts';
import { incoming, scopesOf, withdrawal } from './events.ts';
import { openLimiter } from './limiter-account.ts';
import { type LostReplies, loseReplies } from './lost-replies.ts';
import { onRig, type Rig } from './rig.ts';
import { policySource } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';

const EVENTS = 100;
const LOST_SHARE = 0.1;
/** An event that failed is delivered again, as a queue would. */
const DELIVERIES_MAX = 20;
const AMOUNT = 10n ** 18n;
const USD = 1_500;
const MICRO = 1_000_000;
const WINDOW = { metric: 'notional', windowMs: 3_600_000, widenMs: 0 } as const;

/** How the events come. */
type Schedule = { readonly id: string; readonly name: string; readonly times: number };

/** What was counted beyond what was sent, as a share of it. */
type Counted = { readonly overShare: number; readonly lost: number };

const SCHEDULES: readonly Schedule[] = [
  { id: 'lost', name: 'each event once, 10 % of answers lost', times: 1 },
  { id: 'twice', name: 'each event twice, 10 % of answers lost', times: 2 },
];

/** Over-count under both schedules. */
export async function measureOverCount(seed: string): Promise<Section> {
  const rows: (readonly Cell[])[] = [];
  for (const schedule of SCHEDULES) {
    rows.push(
      await onRig({ policySource: policySource(1), seed }, async (rig) => {
        const theirs = await countTheirs(rig, { seed, schedule });
        return rowOf(schedule, theirs, await countOurs(rig, { seed, schedule }));
      }),
    );
  }
  return {
    title: 'Over-count: what is counted beyond what was sent',
    columns: ['', 'limiter', 'answers lost', 'Breakwater', 'answers lost'],
    rows,
    notes: [
      `${EVENTS} events; an answer is lost after the engine did what was asked; both sides then try again`,
      'the limiter knows no event ids: whoever uses it has to find duplicates before it',
    ],
  };
}

type Run = { readonly seed: string; readonly schedule: Schedule };

async function countTheirs(rig: Rig, { seed, schedule }: Run): Promise<Counted> {
  const limiter = await openLimiter(rig.endpoint, 'limiter');
  const random = Random.create(`${seed} lost theirs ${schedule.id}`);
  try {
    const losing = loseReplies(limiter.client, { share: LOST_SHARE, random });
    await deliver(schedule, () => limiter.consume(USD));
    const lost = losing.lost();
    losing.stop();
    return { overShare: (await limiter.consumed()) / (EVENTS * USD) - 1, lost };
  } finally {
    limiter.stop();
  }
}

async function countOurs(rig: Rig, { seed, schedule }: Run): Promise<Counted> {
  const random = Random.create(`${seed} lost ours ${schedule.id}`);
  const losing: LostReplies = loseReplies(rig.client, { share: LOST_SHARE, random });
  await deliver(schedule, async (index) => {
    const event = incoming(withdrawal({ id: `over-${index}`, amount: AMOUNT }));
    const [recorded] = await recordEvents(rig.deps, [event]);
    if (recorded?.kind !== 'decided') throw recorded?.error ?? new Error('nothing was recorded');
  });
  const lost = losing.lost();
  losing.stop();
  const { wallet } = scopesOf({});
  const item = (await rig.store.decisions.load({ rows: [], items: [wallet] })).items.get(wallet);
  const nowMs = systemClock.nowMs();
  const counted = item ? Meter.outflow(item.meter, { ...WINDOW, nowMs }) : 0n;
  return { overShare: Number(counted) / (EVENTS * USD * MICRO) - 1, lost };
}

async function deliver(schedule: Schedule, take: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < EVENTS; index += 1) {
    for (let time = 0; time < schedule.times; time += 1) await untilTaken(() => take(index));
  }
}

/** @throws what was thrown last. */
async function untilTaken(take: () => Promise<void>): Promise<void> {
  for (let delivery = 1; ; delivery += 1) {
    try {
      return await take();
    } catch (error) {
      if (delivery >= DELIVERIES_MAX) throw error;
      await sleep(1);
    }
  }
}

function rowOf(schedule: Schedule, theirs: Counted, ours: Counted): readonly Cell[] {
  const percent = (id: string, value: number) => ({ id, value: value * 100, unit: '%', digits: 1 });
  const count = (id: string, value: number) => ({ id, value, unit: '', digits: 0 });
  const { id, name } = schedule;
  return [
    name,
    percent(`over-count.${id}.theirs`, theirs.overShare),
    count(`over-count.${id}.theirs.lost`, theirs.lost),
    { ...percent(`over-count.${id}.ours`, ours.overShare), max: 0 },
    count(`over-count.${id}.ours.lost`, ours.lost),
  ];
}
