/**
 * A schema the SDK accepts and that accepts everything: what comes in is checked where it is used, with our own words.
 */
export const loose = {
  "~standard": {
    version: 1 as const,
    vendor: "coppice",
    validate: (value: unknown) => ({ value })
  }
}
