/** Whether the memory of a process stays what it is: samples of its life, and the line through them. */

/** After a collection; bytes, and the age of the process. */
export type Sample = Readonly<Record<Measure | 'lifeS', number>>;

/** What V8 holds, what it knows to be held outside, and what the system gave the process. */
type Measure = 'heapUsed' | 'external' | 'rss';

/** One measure over a life, MB: the first, the middle and the last sample, and by how much it grows in a minute. */
export type Course = {
  readonly first: number;
  readonly median: number;
  readonly last: number;
  readonly slopePerMin: number;
};

/** A life that was long enough to tell. */
export type Life = {
  readonly lifeS: number;
  readonly samples: number;
  readonly heapUsed: Course;
  readonly external: Course;
  readonly rss: Course;
};

/** Caches fill and code is compiled while a process is younger than this. */
const YOUNG_S = 30;
const MB = 1e6;

/** A life by its samples; nothing where it was shorter. */
export function lifeOf(samples: readonly Sample[], leastS: number): Life | undefined {
  const grown = samples.filter(({ lifeS }) => lifeS >= YOUNG_S);
  const lifeS = Math.round(samples.at(-1)?.lifeS ?? 0);
  if (lifeS < leastS || grown.length < 3) return undefined;
  const [heapUsed, external, rss] = (['heapUsed', 'external', 'rss'] as const).map((of) =>
    courseOf(grown, of),
  ) as [Course, Course, Course];
  return { lifeS, samples: grown.length, heapUsed, external, rss };
}

function courseOf(samples: readonly Sample[], of: Measure): Course {
  const values = samples.map((one) => one[of] / MB);
  const sorted = values.toSorted((a, b) => a - b);
  const minutes = samples.map(({ lifeS }) => lifeS / 60);
  return {
    first: round(values[0]),
    median: round(sorted[Math.floor(sorted.length / 2)]),
    last: round(values.at(-1)),
    slopePerMin: round(slopeOf(minutes, values)),
  };
}

/** Least squares. */
function slopeOf(xs: readonly number[], ys: readonly number[]): number {
  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const covariance = xs.reduce((sum, x, at) => sum + (x - meanX) * ((ys[at] ?? 0) - meanY), 0);
  return covariance / xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
}

function round(value = 0): number {
  return Math.round(value * 10) / 10;
}
