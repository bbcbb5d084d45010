import { distance, duration, moment } from "./Durations.ts"
import { useNow } from "./useNow.ts"

/** When something was, as a distance from now; the exact time on hover. */
export const Ago = ({ at }: { readonly at: number }) => {
  const now = useNow()
  return <time className="num" dateTime={new Date(at).toISOString()} title={moment(at)}>{distance(at, now)}</time>
}

/** How long it is until something happens; the exact time on hover. */
export const Countdown = ({ to }: { readonly to: number }) => {
  const left = to - useNow()
  return (
    <time className="num" dateTime={new Date(to).toISOString()} title={moment(to)}>
      {left > 0 ? `in ${duration(Math.ceil(left / 1_000) * 1_000)}` : "any moment"}
    </time>
  )
}

/** How long something took, or has taken so far. */
export const Lasted = ({ from, to }: { readonly from: number; readonly to: number | null }) =>
  to === null ? <Running from={from} /> : <span className="num">{duration(to - from)}</span>

const Running = ({ from }: { readonly from: number }) => <span className="num">{duration(useNow() - from)}</span>
