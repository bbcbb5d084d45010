/**
 * Which revision each server spoke last, so that one probe serves all clients of a process.
 *
 * Only an old era is remembered, for an hour: a server that has been upgraded still answers an old client, and would
 * never be found out otherwise. A new one is probed each time, which costs one request.
 */
import * as Context from "effect/Context"

export class Eras {
  private readonly legacySince = new Map<string, number>()

  isLegacy(key: string, now: number): boolean {
    const since = this.legacySince.get(key)
    return since !== undefined && now - since < 3_600_000
  }

  note(key: string, isLegacy: boolean, now: number): void {
    if (!isLegacy) this.legacySince.delete(key)
    else if (!this.isLegacy(key, now)) {
      if (this.legacySince.size >= 1_000) this.legacySince.clear()
      this.legacySince.set(key, now)
    }
  }
}

/** The eras of this process. */
export const KnownEras = Context.Reference<Eras>("@coppice/mcp/internal/client/KnownEras", {
  defaultValue: () => new Eras()
})
