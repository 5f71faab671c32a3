/** The account and region that exist only in the embedded runtime. */

/** A region that AWS does not have, so that a request that strays outside finds nobody. */
export const LOCAL_REGION = 'local-1';
/** The account of every local ARN. */
export const LOCAL_ACCOUNT = '000000000000';
/** What the SDK clients sign with; the local services ask for no proof. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;

/** The ARN of a local resource, such as `arn:aws:sqs:local-1:000000000000:events`. */
export function localArn(service: 'sqs' | 'sns' | 'events' | 'lambda', resource: string): string {
  return `arn:aws:${service}:${LOCAL_REGION}:${LOCAL_ACCOUNT}:${resource}`;
}
