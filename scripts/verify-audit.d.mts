export function verifyAudit(
  bytes: Uint8Array,
  trusted?: readonly string[],
):
  | {
      readonly whole: true;
      readonly links: number;
      readonly head: string;
      readonly issuer: string;
      readonly kid: string;
      readonly signedAtS: number;
    }
  | { readonly whole: false; readonly row: number; readonly why: string };
export function trustedKeys(text: string): readonly string[];
