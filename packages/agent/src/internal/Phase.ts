/**
 * Where an execution is on its way.
 *
 * ```text
 *   replaying ──(every recorded fact delivered)──► live ──► ended
 *       │                                            │
 *       └──────────── suspending · stopping · crashing ──► ended
 * ```
 */
export type Phase = "replaying" | "live" | "stopping" | "suspending" | "crashing" | "ended"

/** What a turn left the execution in. `blocked` keeps the place, `idle` gives it back. */
export type Turn = "again" | "blocked" | "idle" | "ended"
