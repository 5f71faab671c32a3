/** Withdrawals before their signature → verdicts with admissions. */

import { admissionAudience, awsWorld } from '../lib/runtime/aws-world.ts';
import { reserveWithdrawal } from '../lib/runtime/reserve-withdrawal.ts';

export const handler = reserveWithdrawal(awsWorld(), { audience: admissionAudience() });
