/** Patterns over identifiers: `*` stands for any run of characters, everything else for itself. */

/** Whether the whole text matches. Linear in `text` for each `*`; no backtracking to exploit. */
export function matches(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  const tail = rest.pop() ?? '';
  if (!text.startsWith(head) || text.length < head.length + tail.length || !text.endsWith(tail)) {
    return false;
  }
  let from = head.length;
  const end = text.length - tail.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

/** The most specific of the rules that match: an exact one first, then the longest pattern, then the earliest. */
export function mostSpecific<T extends { readonly pattern: string }>(
  rules: readonly T[],
  text: string,
): T | undefined {
  let best: T | undefined;
  for (const rule of rules) {
    if (rule.pattern === text) return rule;
    const longer = !best || rule.pattern.length > best.pattern.length;
    if (longer && matches(rule.pattern, text)) best = rule;
  }
  return best;
}
