/** Replays that come with Breakwater, in `examples/incidents`. */
export const NAMES: readonly string[] = ['coinex-2023', 'ronin-2022', 'stake-2023'];
