/** The log of a deployed function. */

import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from './world.ts';

/** Structured lines in the format that CloudWatch reads. */
export function createLog(): Log {
  const logger = new Logger({ serviceName: 'breakwater' });
  return {
    info: (message, fields) => logger.info(message, { ...fields }),
    error: (message, fields) => logger.error(message, { ...fields }),
  };
}
