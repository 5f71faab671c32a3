/** The HTTP face of the service. */

import type { FlagClient } from 'breakwater/client/flag';
import { guardWithdrawals } from 'breakwater/client/guard';
import { Hono } from 'hono';
import { getAddress, isAddress, parseEther } from 'viem';
import * as z from 'zod';
import { ETH } from './ethereum.ts';
import type { Order, Status } from './withdraw.ts';

/** What the routes reach. */
export type Parts = {
  readonly flag: FlagClient;
  /** CAIP-10 of the hot wallet. */
  readonly wallet: string;
  readonly shadow: boolean;
  /** Takes an order, once for each id; `false` if another order has its id. */
  readonly take: (order: Order) => boolean;
  readonly statusOf: (id: string) => Status | undefined;
};

const orderShape = z.object({
  id: z.string().regex(/^[\w-]{1,64}$/),
  customer: z.string().min(1).max(64),
  asset: z.literal('ETH'),
  /** Whole ETH, as customers write it. */
  amount: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,18})?$/)
    .transform((text) => parseEther(text)),
  destination: z
    .string()
    .refine((text) => isAddress(text))
    .transform((text) => getAddress(text)),
});

/** `POST /withdrawals`, `GET /withdrawals/:id`, `GET /health`. */
export function createApp({ flag, wallet, shadow, take, statusOf }: Parts): Hono {
  const app = new Hono();
  // Early and kindly, before anything of the request is looked at; reserve and signer decide.
  const question = () => ({ wallet, asset: ETH });
  const guard = guardWithdrawals({ flag: flag.check, question, shadow });
  app.use('/withdrawals', (c, next) => guard(c.req.raw, () => next().then(() => c.res)));

  app.post('/withdrawals', async (c) => {
    const reading = orderShape.safeParse(await c.req.json().catch(() => undefined));
    if (!reading.success) return c.json({ error: z.prettifyError(reading.error) }, 400);
    const { id } = reading.data;
    if (!take(reading.data)) return c.json({ error: `${id} is another withdrawal` }, 409);
    return c.json({ id, ...statusOf(id) }, 202);
  });

  app.get('/withdrawals/:id', (c) => {
    const id = c.req.param('id');
    const status = statusOf(id);
    return status ? c.json({ id, ...status }) : c.json({ error: `there is no ${id}` }, 404);
  });

  app.get('/health', (c) => c.json({ ok: true, withdrawals: flag.cached({ wallet, asset: ETH }) }));
  return app;
}
