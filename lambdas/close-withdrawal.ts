/** What became of withdrawals → budget given back where evidence allows it. */

import { awsWorld } from '../lib/runtime/aws-world.ts';
import { closeWithdrawal } from '../lib/runtime/close-withdrawal.ts';

export const handler = closeWithdrawal(awsWorld());
