/** What functions measure of themselves. A metric is told and forgotten: nothing waits for it, nothing decides by it. */

/** The namespace in CloudWatch of everything that is measured here. */
export const NAMESPACE = 'Breakwater';

/**
 * Values by the name of their metric; the name ends in its unit (`HeartbeatAgeMs`, `LimitUsedPercent`)
 * or is a count.
 */
export type Values = Readonly<Record<string, number>>;

/** Measures. Never throws. */
export type Metrics = {
  /** `dimensions`: besides the cell, which every metric has. */
  readonly measure: (values: Values, dimensions?: Readonly<Record<string, string>>) => void;
};

/** Measures nothing: for worlds that nobody watches. */
export const UNMEASURED: Metrics = { measure: () => undefined };
