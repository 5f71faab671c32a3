import { configureGlobal, readConfigureGlobal } from 'fast-check';
import { beforeEach } from 'vitest';

const RUNS_DEFAULT = 10;

// Each takes a quarter of a second or more, and most count at their end how much they saw.
const SLOW = [
  'P12: H46: no sequence of edits lets more leave a wallet',
  'H48: what is judged not to loosen',
  'H25: parsing what was parsed changes nothing',
  'behavior: any byte that is changed is found',
  'behavior: every other value of a byte is found',
  'behavior: H79: nobody waits for one that something else refuses',
  'behavior: H79: one customer waits with',
  'behavior: H79: many small ones cannot starve a large one',
  'behavior: H79: with more queues than one round looks at',
  'behavior: H79: hundreds that are stopped do not take its room',
  'behavior: P2: meters are the sum of the ledger, slot by slot',
  'behavior: P5: whenever within its admissions each one leaves',
  'behavior: changes that fit no transaction are decided in halves',
  'behavior: a crash between any two steps, and delivery again',
  'behavior: a chunk that the store refuses',
  'behavior: every transaction has at most 100 items',
  'behavior: a hundred with more alerts than fit one transaction',
  'default: after 10,000 random events with give-backs',
  'in any window at most the share of what was held',
  'P5, H16: ',
  'P6: after the commit of a trip',
  'H17, H21: lost replies and deaths at any step',
  'H36: many small withdrawals trip on their sum',
];

// The first counter-example is enough, nobody reads the smallest one.
configureGlobal({ ...readConfigureGlobal(), numRuns: RUNS_DEFAULT, endOnFailure: true });

// A kept worker has the last mutant still switched on; what test files compute while they load is
// computed without any.
const stryker = (globalThis as { __stryker__?: { activeMutant?: string | undefined } }).__stryker__;
if (stryker !== undefined) stryker.activeMutant = undefined;

beforeEach(({ task, skip }) => {
  if (SLOW.some((each) => task.name.startsWith(each))) skip();
});
