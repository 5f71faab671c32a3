// The types of verify.mjs, which is plain JavaScript. What each function does is written there.

export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

export type Report = {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
};

export const STEPS: readonly string[];
export function countTests(parameters: {
  readonly report: Report | undefined;
  readonly exitCode: number;
}): Counts;
export function countStep(parameters: { readonly exitCode: number }): Counts;
export function renderSummary(
  results: readonly (Counts & { readonly name: string; readonly durationMs: number })[],
): string;
