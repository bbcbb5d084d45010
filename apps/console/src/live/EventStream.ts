/**
 * The browser's side of `/api/v1/events`.
 */
import type { Envelope } from "@coppice/api/Api"
import type { Surroundings } from "./LiveStore.ts"

const sinceIn = (event: MessageEvent<string>): number => (JSON.parse(event.data) as { readonly since: number }).since

/** `EventSource` and the browser's clock. Connecting again is `LiveStore`'s business: it also knows of statuses. */
export const browser: Surroundings = {
  connect: (since, { onBroken, onFact, onPlace }) => {
    const source = new EventSource(`/api/v1/events${since === undefined ? "" : `?since=${since}`}`)
    for (const kind of ["ready", "reset"] as const) {
      source.addEventListener(kind, (event) => onPlace(kind, sinceIn(event)))
    }
    source.addEventListener("message", (event: MessageEvent<string>) => onFact(JSON.parse(event.data) as Envelope))
    source.addEventListener("error", onBroken)
    return source
  },
  after: (millis, run) => {
    const timer = setTimeout(run, millis)
    return () => clearTimeout(timer)
  }
}
