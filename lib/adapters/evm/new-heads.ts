/** New blocks as a node announces them by websocket: a hint to look, never what is believed. */

import { createClient, webSocket } from 'viem';

/** How often, and after how long, a lost connection is made again, ms. */
const RECONNECTS_MAX = 1_000_000;
const RECONNECT_DELAY_MS = 2_000;

/**
 * Calls `onHead` at each new block until it is stopped. A connection that is lost is made again by
 * itself; whoever listens asks the chain now and then all the same.
 *
 * @param parameters.socket `wss:`, or `ws:` on this machine. It may hold a key and is never repeated.
 * @param parameters.onDeaf called once if the node refuses to announce anything.
 * @returns ends it.
 */
export function listenForHeads(parameters: {
  readonly socket: string;
  readonly onHead: () => void;
  readonly onDeaf: () => void;
}): () => void {
  const { socket, onHead, onDeaf } = parameters;
  let isOver = false;
  const reconnect = { attempts: RECONNECTS_MAX, delay: RECONNECT_DELAY_MS };
  const { transport } = createClient({ transport: webSocket(socket, { reconnect }) });
  const onData = () => {
    if (!isOver) onHead();
  };
  const close = async () => (await transport.getRpcClient()).close();
  const listening = transport.subscribe({ params: ['newHeads'], onData });
  listening.then(
    () => {
      if (isOver) close().catch(() => undefined);
    },
    () => {
      if (!isOver) onDeaf();
    },
  );
  return () => {
    isOver = true;
    close().catch(() => undefined);
  };
}
