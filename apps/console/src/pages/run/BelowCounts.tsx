import { Icon } from "../../ui/Icon.tsx"
import { labelOf, lookOf } from "../../ui/Status.tsx"
import type { Counts } from "./TreeModel.ts"

const shown = ["failed", "input_required", "working", "completed", "cancelled"] as const

/** How many tasks below one are in which status. */
export const BelowCounts = ({ below }: { readonly below: Counts }) => (
  <span className="below">
    {shown.filter((status) => below[status] > 0).map((status) => {
      const { icon, tone } = lookOf({ status })
      return (
        <span
          key={status}
          className={`below-count tone-text-${tone}`}
          title={`${below[status]} below: ${labelOf(status)}`}
        >
          <Icon name={icon} size={11} />
          <span className="num">{below[status]}</span>
          <span className="hidden-visually">{labelOf(status)} below</span>
        </span>
      )
    })}
  </span>
)
