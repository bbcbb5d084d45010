/** How often a property is tried: as said by day, as many times more as `COPPICE_RUNS` says by night. */
export const runs = (byDay: number): number => byDay * Number(process.env["COPPICE_RUNS"] ?? 1)
