/** Changes of the product that break one rule each. Each must be found by the simulation or the small scope. */

/** One change: `from` stands in the file exactly once. */
export type Mutant = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

const of =
  (file: string) =>
  (name: string, from: string, to: string): Mutant => ({ name, file, from, to });

const meter = of('lib/domain/meter.ts');
const draft = of('lib/domain/draft.ts');
const evaluate = of('lib/domain/evaluate.ts');
const breaker = of('lib/domain/breaker.ts');
const reservation = of('lib/domain/reservation.ts');
const matching = of('lib/domain/matching.ts');
const outcome = of('lib/domain/outcome.ts');
const outflow = of('lib/domain/outflow.ts');
const enforce = of('lib/domain/enforce.ts');
const reorg = of('lib/domain/reorg.ts');
const report = of('lib/domain/report.ts');
const charge = of('lib/domain/charge.ts');
const scope = of('lib/domain/scope.ts');
const standing = of('lib/domain/standing.ts');
const command = of('lib/domain/command.ts');
const policy = of('lib/domain/policy.ts');
const decision = of('lib/domain/decision.ts');
const misfit = of('lib/domain/misfit.ts');
const commit = of('lib/actions/commit-decision.ts');
const events = of('lib/actions/record-events.ts');
const project = of('lib/actions/project-state.ts');
const memory = of('lib/adapters/memory/decision-store.ts');
const approval = of('lib/domain/approval.ts');
const step = of('lib/domain/step.ts');
const quarantine = of('lib/domain/quarantine.ts');
const resume = of('lib/domain/resume.ts');
const ceremony = of('lib/domain/ceremony.ts');
const doubt = of('lib/domain/ceremony-doubt.ts');
const proposal = of('lib/domain/proposal.ts');
const health = of('lib/domain/health.ts');
const flag = of('lib/domain/flag.ts');
const watch = of('lib/domain/watch.ts');
const inForce = of('lib/actions/policy-in-force.ts');
const watching = of('lib/actions/watch-chain.ts');
const firstSight = of('lib/domain/first-sight.ts');
const change = of('lib/domain/policy-change.ts');
const overlay = of('lib/domain/overlay.ts');
const stuck = of('lib/actions/note-stuck.ts');

/** All of them. */
export const MUTANTS: readonly Mutant[] = [
  meter(
    'the oldest slot is left out',
    'slot.index >= oldest);\n  const total',
    'slot.index > oldest);\n  const total',
  ),
  meter(
    'windows are not widened',
    'timeMs - window.windowMs - window.widenMs;',
    'timeMs - window.windowMs;',
  ),
  meter(
    'slots are forgotten too early',
    'timeMs - step.windowMs - wideningMaxMs(step)) /',
    'timeMs - step.windowMs / 2) /',
  ),
  meter(
    'a charge replaces its slot',
    'return [addTo(newest, added), ...older];',
    'return [addTo({ ...newest, notional: 0n, amount: 0n, count: 0 }, added), ...older];',
  ),
  meter(
    'amounts are not counted',
    'amount: Money.add(slot.amount, added.amount)',
    'amount: slot.amount',
  ),
  meter('counts are not counted', 'Math.min(slot.count + added.count, COUNT_MAX)', 'slot.count'),
  meter(
    'a give-back takes the newest slot',
    'slot.index === index ? subtractFrom',
    'slot === meter.steps[position]?.[0] ? subtractFrom',
  ),
  meter(
    'a give-back takes twice',
    'return from > by ? from - by : 0n;',
    'return from > 2n * by ? from - 2n * by : 0n;',
  ),
  evaluate(
    'a limit has twice its room',
    'if (sum > limit.allowed || sum',
    'if (sum > limit.allowed * 2n || sum',
  ),
  evaluate(
    'a limit is judged before the charge',
    'used(event.after.get(key), limit, at);\n  if',
    'used(event.before.get(key), limit, at);\n  if',
  ),
  evaluate(
    'only the narrowest scope is judged',
    'return Scope.all(subject).flatMap((scope) => {',
    'return Scope.all(subject).slice(0, 3).flatMap((scope) => {',
  ),
  draft(
    'what is loaded first is charged first',
    'draft.items.set(key, { ...withoutOldBases(current, draft.atMs), meter });',
    'if (key !== Scope.GLOBAL_KEY) draft.items.set(key, { ...current, meter });',
  ),
  draft(
    'a decision runs at the clock, behind its meters',
    'atMs = Math.max(atMs, item.meter.newestMs, ...marksOf(item).map((mark) => mark.atMs));',
    'atMs = Math.min(atMs, atMs + item.meter.newestMs);',
  ),
  draft(
    'versions stay as they are',
    "expected === 'absent' ? draft.atMs : expected + 1",
    "expected === 'absent' ? draft.atMs : expected",
  ),
  draft(
    'nothing is given back',
    'const meter = Meter.giveBack(current.meter, taken, chargedAtMs);',
    'const { meter } = current;',
  ),
  draft(
    'an incident is opened without its breaker',
    'draft.items.set(key, { ...current, breaker: tripped.breaker });',
    '',
  ),
  draft(
    'global is not always written',
    'if (!draft.items.has(Scope.GLOBAL_KEY)) {',
    'if (draft.items.size > 99) {',
  ),
  breaker(
    'a trip that finds it open opens it again',
    "if (breaker.state !== 'closed') {\n    const causes",
    "if (breaker.state === 'isolated') {\n    const causes",
  ),
  breaker(
    'epochs stand still',
    'const epoch = breaker.epoch + 1;',
    'const epoch = Math.max(1, breaker.epoch);',
  ),
  standing(
    'a pause of the wallet stops nothing',
    "if (breaker.state === 'closed') continue;",
    "if (breaker.state === 'closed' || key.startsWith('wallet:')) continue;",
  ),
  standing(
    'what an operator paused stops nothing',
    "if (breaker.state === 'closed') continue;",
    "if (breaker.state !== 'open') continue;",
  ),
  scope(
    'a pause of a whole destination does not stop its parts',
    'return hasPart ? [own, of(kind, { ...subject, memo: undefined })] : [own];',
    'return hasPart ? [own] : [own];',
  ),
  scope(
    'an actor is nobody',
    'subject.actor === undefined ? NO_ACTOR : encode(subject.actor)',
    'NO_ACTOR',
  ),
  reservation(
    'a pause is overlooked while its admission lives',
    'if (refusal && !isShadow(draft)) return refused(draft, ask, refusal);',
    'if (refusal && !row && !isShadow(draft)) return refused(draft, ask, refusal);',
  ),
  reservation(
    'a repeat is charged again beside the first charge',
    'Draft.giveBack(draft, row.money);',
    '',
  ),
  reservation('a refused one stays charged', 'draft.items.clear();', ''),
  reservation(
    'limits do not refuse',
    'if (misfit?.acts) {\n    restore();',
    'if (misfit?.acts && withdrawalId === "") {\n    restore();',
  ),
  reservation(
    'a closed withdrawal is charged again',
    "if (row.state === 'reserved' || row.state === 'held') return undefined;",
    "if (row.state !== 'matched') return undefined;",
  ),
  reservation(
    'an admission outlives what was charged for it',
    'return draft.atMs + Policy.admissionMs(',
    'return draft.atMs + 4 * Policy.admissionMs(',
  ),
  misfit(
    'only the first limit refuses',
    'const passed = Enforce.passed(draft, resolved, uncharged);',
    'const passed = Enforce.passed(draft, resolved, uncharged).slice(1);',
  ),
  matching(
    'a second sight is a first one',
    "return same ? { kind: 'duplicate' } : conflict(own, bodyHash, rowOf);",
    'return same ? matchOutflow(event, rowOf, rules) : conflict(own, bodyHash, rowOf);',
  ),
  matching(
    'a report is counted again',
    "if (before && before.state !== 'held' && before.state !== 'claimed') return { kind: 'duplicate' };",
    "if (before && before.state !== 'held' && before.state !== 'claimed' && before.state !== 'reported') return { kind: 'duplicate' };",
  ),
  matching(
    'every outflow was approved',
    "return { kind: 'unmatched-outflow', why: 'no approved withdrawal awaits it' };",
    "return { kind: 'nothing-moved' };",
  ),
  matching(
    'reservations await no outflow',
    "return row?.state === 'reported' || row?.state === 'reserved';",
    "return row?.state === 'reported';",
  ),
  matching(
    'an older word takes back a newer one',
    '(row.sequence ?? 0) >= event.sequence;',
    '(row.sequence ?? 0) > event.sequence + 1_000;',
  ),
  matching(
    'a late report is counted too',
    "return row ? { kind: 'late-report', seen: row } : { kind: 'new-withdrawal' };",
    "return { kind: 'new-withdrawal' };",
  ),
  approval(
    'an outflow of any amount is approved',
    'const isExact = ({ amount }: Approval) => amount === sight.amount;',
    'const isExact = ({ amount }: Approval) => amount <= sight.amount || amount > 0n;',
  ),
  outcome(
    'a failure gives back again and again',
    "if (row.state === kind) return { kind: 'duplicate', withdrawalId };",
    "if (row.state === kind) { Draft.giveBack(draft, row.money); Draft.putRow(draft, row); return { kind: 'duplicate', withdrawalId }; }",
  ),
  outcome(
    'what was seen on chain is given back',
    "if (row.state === 'matched') {",
    "if (row.link === '') {",
  ),
  outcome(
    'what may still be signed is given back',
    "if (isOver || evidence.kind === 'nonce-spent') return undefined;",
    'if (isOver || evidence) return undefined;',
  ),
  outcome(
    'a failure gives back nothing',
    'Draft.giveBack(draft, row.money);\n  Approval',
    'Approval',
  ),
  outflow(
    'an unmatched outflow is not counted',
    'const before = Draft.charge(draft, { subject, legs, withdrawals });\n  const event = { ...sighted.event, transfer: counted };',
    'const before = new Map();\n  const event = { ...sighted.event, transfer: counted };',
  ),
  outflow(
    'fees are not counted',
    'const owed = feeOwed(first?.money?.transfer.fee, transfer.fee);',
    'const owed = undefined;',
  ),
  enforce(
    'money that nobody approved trips nothing',
    'const trip = theft && tripTheft(draft, effect, theft);',
    'const trip = theft && rowId === "" ? tripTheft(draft, effect, theft) : undefined;',
  ),
  enforce(
    'a crossing only alerts',
    "action.kind === 'pause' && !late)",
    "action.kind === 'pause' && !late && metric === 'single')",
  ),
  enforce(
    'whatever is open collects a theft',
    "const collectors = shows === 'again' ? wider : wider.filter(hasThis);\n    effect",
    "const collectors = shows === 'again' ? wider : wider.filter(hasThis);\n    if (cause.kind === 'unmatched' && wider.length > 1) return;\n    effect",
  ),
  reorg(
    'what a reorg took keeps its charge',
    'if (!carries) Draft.giveBack(draft, money, COUNTED.has(state) ? 1 : 0);',
    '',
  ),
  reorg(
    'a removal before its sight is forgotten',
    "Draft.putRow(draft, { rowId, bodyHash: '', atMs, ...row, state: 'removed', sequence });\n    return true;",
    'return false;',
  ),
  report(
    'a report is not counted',
    'const before = Draft.charge(draft, { subject, legs, withdrawals: 1 });\n  return Enforce',
    'const before = new Map();\n  return Enforce',
  ),
  charge(
    'a count is two',
    '(position === 0 ? withdrawals : 0)',
    '(position === 0 ? 2 * withdrawals : 0)',
  ),
  charge(
    'the key domain is not charged',
    'for (const scope of Scope.all({ ...subject, asset: leg.asset })) {',
    "for (const scope of Scope.all({ ...subject, asset: leg.asset }).filter(({ kind }) => kind !== 'key-domain')) {",
  ),
  policy(
    'limits are those of the first version',
    '.filter((limit) => limit.scope === kind && applies(limit.where, subject))',
    ".filter((limit) => limit.scope === kind && limit.scope !== 'wallet' && applies(limit.where, subject))",
  ),
  decision(
    'a removal does nothing',
    "const result = Reorg.remove(draft, removed) ? 'removed' : 'duplicate';",
    "const result = removed.rowId === '' && Reorg.remove(draft, removed) ? 'removed' : 'duplicate';",
  ),
  command(
    'a resume closes without the word of its command',
    'changes: { ...Draft.changes(draft), incidents: carried.incidents },',
    'changes: Draft.changes(draft),',
  ),
  command(
    'one alone resumes where several have to sign',
    "if (policy.resume.kind !== 'trial') {",
    "if (policy.resume.kind === '') {",
  ),
  commit(
    'another policy in force is not adopted',
    'if (version !== inForce.version) {',
    'if (version < inForce.version) {',
  ),
  commit(
    'a lost condition counts as won',
    "(await deps.decisions.commit(changes)) === 'committed') return result;",
    '(await deps.decisions.commit(changes)) !== undefined) return result;',
  ),
  commit(
    'what is read is kept for the next attempt',
    'const first = await deps.decisions.load(keys);',
    'const first = (attempt > 1 ? globalThis.keptRead : undefined) ?? (await deps.decisions.load(keys));\n    globalThis.keptRead = first;',
  ),
  events(
    'failed events are acknowledged',
    "return chunk.map(() => ({ kind: 'failed', error }));\n  }\n}\n\nasync function recordHalves",
    "return chunk.map((event) => ({ kind: 'decided', outcome: { rowId: event.kind, result: 'duplicate', notional: 0n, trips: [], wouldTrip: [] } }));\n  }\n}\n\nasync function recordHalves",
  ),
  project(
    'nobody is told of an incident',
    'if (record.incident.quarantinedBy !== undefined) return undefined;',
    'if (record.incident) return undefined;',
  ),
  project(
    'nobody is told that it opened again',
    'if (!showsOnce(cause.kind) && cause.reopened === undefined) return undefined;',
    'if (!showsOnce(cause.kind) || cause.reopened !== undefined) return undefined;',
  ),
  meter(
    'what left since a mark is nothing',
    'return total > before ? total - before : 0n;',
    'return total > before ? 0n : 0n;',
  ),
  evaluate(
    'one limit counts anew, and all others of its scope with it',
    'item?.bases?.find(({ limitIds }) => limitIds.includes(limitId))?.mark',
    'item?.bases?.at(-1)?.mark',
  ),
  draft(
    'a give-back leaves the mark as it was',
    '{ ...withLowerMarks(current, taken, chargedAtMs), meter }',
    '{ ...current, meter }',
  ),
  breaker(
    'it opens again in the same epoch',
    'epoch: epoch + 1, incidentId, openedAtMs, ...counts }',
    'epoch, incidentId, openedAtMs, ...counts }',
  ),
  breaker('a step is over at once', 'if (nowMs < stepEndsAtMs(breaker)) return undefined;', ''),
  breaker('a step is left out', 'const step = breaker.step + 1;', 'const step = breaker.step + 2;'),
  breaker(
    'what resumes goes on resuming',
    "if (breaker.state !== 'half-open') return { breaker:",
    "if (breaker.state !== 'closed') return { breaker:",
  ),
  step(
    'a step allows all that its limit does',
    'allowed: Money.shareOf(whole, shareBps),',
    'allowed: whole,',
  ),
  step(
    'a step without a limit has no budget',
    'hasOwn ? acting : [...acting, budgetOf(scope, breaker.budget)]',
    'acting',
  ),
  step(
    'a step lets every asset flow',
    'isNamed(chains, flows.chain) && isNamed(assets, flows.asset)',
    'isNamed(chains, flows.chain)',
  ),
  standing(
    'a destination that resumes lets its memos flow',
    'if (charged.includes(key) && Step.lets(',
    'if (Step.lets(',
  ),
  reservation(
    'what was admitted before a step passes beside it',
    '&& !isBeforeStep(draft, ask)) {',
    ') {',
  ),
  quarantine(
    'the destination of a theft stays open',
    '...(isFlood || isNobody ? [] : destinations)',
    '...(isFlood || isNobody ? destinations : [])',
  ),
  quarantine('the wallet of a theft stays open', '[wallet, ...(isFlood', '[...(isFlood'),
  quarantine(
    'what resumes beside a theft goes on resuming',
    'return Breaker.stops(breaker) && !(',
    'return !Breaker.permits(breaker) && !(',
  ),
  resume(
    'what was signed for one opening closes the next',
    'if (breaker.epoch === epoch) return undefined;',
    'if (breaker.epoch >= epoch) return undefined;',
  ),
  ceremony('one signature is enough', 'if (count < quorum)', 'if (count < 1)'),
  doubt(
    'one operator counts twice',
    'if (Proposal.standing(proposal).some((one) => one.operator === name)) {',
    "if (name === '') {",
  ),
  proposal(
    'signatures outlive an objection',
    'approvals.filter((approval) => approval.round === round)',
    'approvals.filter((approval) => approval.round <= round)',
  ),
  health(
    'dead letters are overlooked',
    'if (deadLetters > 0)',
    'if (deadLetters > Number.MAX_SAFE_INTEGER)',
  ),
  health(
    'a lease is counted from now, not from its proof',
    'const untilMs = Math.min(heartbeat.sentAtMs, heartbeat.receivedAtMs) + leaseMs;',
    'const untilMs = nowMs + leaseMs;',
  ),
  health('a blind chain gets a lease', 'if (!isBlind.has(chain)) return', 'if (chain) return'),
  stuck('a host that knows no time notes what is stuck', 'await deps.health.stuckAtMs();', ''),
  standing(
    'a lease that ran out admits',
    'if (untilMs !== undefined && untilMs > draft.atMs) return undefined;',
    'if (untilMs !== undefined) return undefined;',
  ),
  flag('a lease that ran out enables', '|| !(inForceUntilMs > nowMs)', ''),
  watch(
    'a reorg takes nothing back',
    'const incoming = [...rowIds].map((rowId) => removedOf(rowId, sequence));',
    'const incoming: Decision.Incoming[] = [];',
  ),
  watch(
    'a step that broke off is forgotten',
    '...lost.map(({ rowId }) => removedOf(rowId, sequence)),',
    '',
  ),
  watching(
    'blocks are remembered although their outflows failed',
    "if (failed) return { kind: 'failed', error: failed.error };",
    '',
  ),
  watching(
    'what is about to be counted is not remembered first',
    "if ((await deps.watches.save(begun)) === 'conflict') return { kind: 'again' };\n    version += 1;",
    '',
  ),
  firstSight(
    'a second sight trips again',
    'if (policy.matching.graceMs > 0 || Draft.row(draft, rowId)) return undefined;',
    'if (policy.matching.graceMs > 0) return undefined;',
  ),
  inForce(
    'what cannot be read is replaced by one alone',
    'if (quorum === 0) return',
    'if (quorum !== undefined) return',
  ),
  change(
    'one alone puts a looser policy in force',
    "if (decides === 'neutral' || decides === 'tightens') return undefined;",
    "if (decides !== 'revokes') return undefined;",
  ),
  ceremony(
    'a looser policy does not wait',
    'const dueAtMs = dueOf(next, draft.atMs);',
    'const dueAtMs = draft.atMs;',
  ),
  overlay(
    'a second tightening is one of its own',
    'if (!overlay) {',
    'if (!overlay || shareBps < overlay.shareBps) {',
  ),
  memory(
    'items are written without their condition',
    'items.every(({ key, expected }) => versionOf(state.items.get(key)) === expected) &&',
    '',
  ),
];
