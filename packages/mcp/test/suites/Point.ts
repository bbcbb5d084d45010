/**
 * One thing the specification asks, in our own words.
 */
export interface Point {
  readonly says: string
  /** Why no case of these suites shows it. */
  readonly elsewhere?: {
    /** Something to read, or something that is not there yet. */
    readonly kind: "text" | "open"
    readonly why: string
  }
}

export const shown = (says: string): Point => ({ says })

export const written = (says: string, why: string): Point => ({ says, elsewhere: { kind: "text", why } })

export const open = (says: string, why: string): Point => ({ says, elsewhere: { kind: "open", why } })
