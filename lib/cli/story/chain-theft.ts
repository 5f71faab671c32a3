/** The first act of `breakwater demo`: somebody with a leaked key, on a chain of this machine. */

import { findAnvil } from '../../local/chain-node.ts';
import { ENV } from '../../runtime/environment.ts';
import { interruptible } from '../interrupt.ts';
import {
  approvedLine,
  type ChainView,
  chainLines,
  chainRefusedLines,
  chainTripLines,
  leakLines,
  leftOutLines,
  type ShownTransfer,
  stolenLine,
} from '../render/chain-theft.ts';
import type { Session } from '../session.ts';
import { type Mined, playTheft, type Telling } from './chain/play.ts';
import { CHAIN, withChain } from './chain/stage.ts';

/** Where there is no node for the platform. */
const NO_NODE = 'it needs anvil, whose package is there for Linux on x64 only';
/** Both acts would share the tables of an engine that was not started here. */
const NAMED_ENGINE = `${ENV.dynamodbEndpoint} names an engine, and the replay needs it to itself`;

/**
 * Shows it, in about eight seconds, or says in a sentence why it is left out. Nothing with `--json`,
 * whose answer is the replay's. Everything that it starts is ended before it returns.
 */
export async function showChainTheft(session: Session): Promise<void> {
  if (session.json) return;
  const why = reasonAgainst(session.io.env);
  if (why === undefined) await interruptible((signal) => show(session, signal));
  else session.print(leftOutLines(why, session));
}

function reasonAgainst(env: Session['io']['env']): string | undefined {
  if (findAnvil() === undefined) return NO_NODE;
  return env[ENV.dynamodbEndpoint] ? NAMED_ENGINE : undefined;
}

async function show(session: Session, signal: AbortSignal): Promise<void> {
  session.print(chainLines(CHAIN, session));
  try {
    await withChain((stage) => playTheft({ stage, signal, telling: teller(session) }));
  } catch (error) {
    // The replay needs no chain: a slow machine does not keep anybody from seeing it.
    const isOfChain = error instanceof Error && /^Chain(Node|Theft)\./.test(error.name);
    if (!isOfChain) throw error;
    session.print(leftOutLines(error.message, session));
  }
}

/** Prints what happens while it happens. */
function teller(session: Session): Telling {
  const view: ChainView = session;
  return {
    approved: (mined) => {
      session.print(mined.map((each) => approvedLine(shown(each), view)));
      session.print(leakLines(view));
    },
    stolen: (mined) => session.print([stolenLine(shown(mined), view)]),
    tripped: (trip) => session.print(chainTripLines(trip, view)),
    refused: ({ from, payment, text }) =>
      session.print(chainRefusedLines({ ...payment, from }, text, view)),
  };
}

function shown({ payment, block }: Mined): ShownTransfer {
  return { ...payment, block, from: 'hot-1' };
}
