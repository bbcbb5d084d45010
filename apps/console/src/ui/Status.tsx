/**
 * A task's status: a picture, a word, and a colour, of which each would do alone.
 */
import type { Task, TaskStatus } from "@coppice/api/Api"
import { Icon, type IconName } from "./Icon.tsx"

export type Tone = "working" | "waiting" | "good" | "bad" | "off"

interface Look {
  readonly tone: Tone
  readonly icon: IconName
  readonly label: string
}

const looks: Readonly<Record<TaskStatus, Look>> = {
  working: { tone: "working", icon: "ring", label: "Working" },
  input_required: { tone: "waiting", icon: "question", label: "Needs input" },
  completed: { tone: "good", icon: "check", label: "Completed" },
  failed: { tone: "bad", icon: "cross", label: "Failed" },
  cancelled: { tone: "off", icon: "stop", label: "Cancelled" }
}

const queued: Look = { tone: "off", icon: "clock", label: "Queued" }

const asking: Look = { ...looks.input_required, label: "Waits for input" }

/** What of a task decides how it looks. */
type Shown = Pick<Task, "status"> & { readonly attempt?: number }

/** How a status looks; a task that was never begun is queued. `asks`: somebody below it waits for a person. */
export const lookOf = ({ attempt, status }: Shown, asks = false): Look => {
  if (status !== "working") return looks[status]
  if (asks) return asking
  return attempt === 0 ? queued : looks.working
}

export const labelOf = (status: TaskStatus): string => looks[status].label

export const Status = ({ asks = false, plain = false, task }: {
  readonly task: Shown
  readonly asks?: boolean
  readonly plain?: boolean
}) => {
  const { icon, label, tone } = lookOf(task, asks)
  return (
    <span className={`status tone-${tone}${plain ? " status-plain" : ""}`}>
      <Icon name={icon} spin={icon === "ring"} />
      {label}
    </span>
  )
}
