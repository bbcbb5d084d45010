import { marks, type TimeScale } from "./TimeScale.ts"

/** The times above a timeline, from the beginning of the run. */
export const TimeAxis = ({ scale }: { readonly scale: TimeScale }) => (
  <div className="axis" aria-hidden="true">
    <div className="axis-marks">
      {marks(scale).map(({ label, place }) => (
        <span key={label} className="axis-mark num" style={{ left: `${place * 100}%` }}>{label}</span>
      ))}
    </div>
  </div>
)
