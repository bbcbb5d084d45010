/**
 * Whether the page follows the service now, and the button that stops it from doing so.
 */
import { useLive } from "../live/Live.tsx"
import { Icon } from "../ui/Icon.tsx"

export const LiveBadge = () => {
  const live = useLive()
  const { duplicates, gaps, held, last, paused, phase, reconnects } = live
  const words = paused
    ? `Paused${held > 0 ? `, ${held} new` : ""}`
    : { connecting: "Connecting", live: "Live", offline: "Offline" }[phase]
  const about = `at fact ${last ?? "–"} · ${reconnects} reconnects · ${gaps} gaps · ${duplicates} repeated`
  return (
    <button
      type="button"
      className={`live live-${paused ? "paused" : phase}`}
      title={`${paused ? "Go on showing what happens" : "Stop moving what is on screen"}\n${about}`}
      aria-pressed={paused}
      aria-label={paused ? `Resume live updates (${words})` : `Pause live updates (${words})`}
      data-seq={last}
      data-gaps={gaps}
      data-duplicates={duplicates}
      data-reconnects={reconnects}
      onClick={paused ? live.resume : live.pause}
    >
      {paused ? <Icon name="play" size={12} /> : <span className="live-dot" />}
      <span className="live-text">{words}</span>
    </button>
  )
}

/** Under the navigation while the service is out of reach: what is shown may be old. */
export const OfflineBanner = () => {
  const { phase, wake } = useLive()
  return (
    <div role="status" aria-live="polite">
      {phase === "offline"
        ? (
          <div className="banner tone-bad">
            <Icon name="bang" />
            <span className="grow">
              The service does not answer. What you see may be old; the page goes on by itself when it is back.
            </span>
            <button type="button" className="button button-small" onClick={wake}>Try now</button>
          </div>
        )
        : null}
    </div>
  )
}
