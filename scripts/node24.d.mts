// The types of node24.mjs, which is plain JavaScript. What each function does is written there.

export type Machine = {
  readonly root: string;
  readonly execPath: string;
  readonly version: string;
  readonly platform: string;
  readonly arch: string;
};

export const ROOT: string;
export function thisMachine(): Machine;
export function findNode(
  machine: Machine,
): { readonly node: string } | { readonly problem: string };
export function findBin(parameters: {
  readonly root: string;
  readonly name: string;
}): string | undefined;
export function resolveArgs(parameters: {
  readonly root: string;
  readonly args: readonly string[];
}): { readonly args: readonly string[] } | { readonly problem: string };
export function environmentFor(parameters: {
  readonly node: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Readonly<Record<string, string | undefined>>;
export function launch(args: readonly string[]): void;
