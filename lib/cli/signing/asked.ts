/**
 * What there is to sign, computed here from what the proposal says. A service that shows one thing and
 * asks to sign another is found out before a key is touched.
 */

import { nodeDigest } from '../../adapters/node-digest.ts';
import * as TypedData from '../../domain/typed-data.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import type { Shown, WireTypedData } from '../proposal-answers.ts';

/** What approving the proposal signs. @throws {StoppedError} `unexpected`: the service asks for something else. */
export function approvalOf(shown: Shown): TypedData.TypedData {
  const typedData = TypedData.ofProposal(shown.proposal, knownOf(shown));
  const field = differing(typedData, shown.typedData);
  if (field === undefined) return typedData;
  throw new StoppedError({
    exitCode: EXIT.unexpected,
    message: `The service shows one proposal and asks to sign another: they differ in ${field}. Nothing was signed.`,
    hint: 'Use the breakwater of the same version. If it is, somebody changed what the service answers: sign nothing, and find out who.',
  });
}

/** What objecting to the proposal signs. @throws {StoppedError} as {@link approvalOf}. */
export function vetoOf(shown: Shown, reason: string): TypedData.TypedData {
  approvalOf(shown);
  return TypedData.ofVeto(shown.proposal, { reason }, knownOf(shown));
}

/** Typed data in the form that travels. */
export function toWire(typedData: TypedData.TypedData): WireTypedData {
  const { domain, types, primaryType, message } = typedData;
  const fields = Object.entries(types).map(
    ([name, list]) => [name, list.map((field) => ({ ...field }))] as const,
  );
  return {
    domain: { ...domain },
    types: Object.fromEntries(fields),
    primaryType,
    message: { ...message },
  };
}

function knownOf({ typedData }: Shown) {
  return { stackId: typedData.domain.salt.slice(2), hash: nodeDigest.hash };
}

/** Name of the first part that differs. */
function differing(left: TypedData.TypedData, right: WireTypedData): string | undefined {
  const parts = ({ domain, types, primaryType, message }: TypedData.TypedData) => ({
    ...domain,
    primaryType,
    types,
    ...message,
  });
  const [mine, theirs] = [parts(left), parts(right)] as readonly Record<string, unknown>[];
  const names = new Set([...Object.keys(mine ?? {}), ...Object.keys(theirs ?? {})]);
  return [...names].find((name) => JSON.stringify(mine?.[name]) !== JSON.stringify(theirs?.[name]));
}
