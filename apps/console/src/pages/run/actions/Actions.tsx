/**
 * What can be done with a task, as far as this person may.
 */
import type { Task } from "@coppice/api/Api"
import { type ComponentType, useState } from "react"
import { useMay } from "../../../session/useSession.ts"
import { Button } from "../../../ui/Button.tsx"
import { Icon, type IconName } from "../../../ui/Icon.tsx"
import { CancelDialog } from "./CancelDialog.tsx"
import { ForkDialog } from "./ForkDialog.tsx"
import { RetryDialog } from "./RetryDialog.tsx"
import { SteerDialog } from "./SteerDialog.tsx"

interface Action {
  readonly name: string
  readonly icon: IconName
  readonly dialog: ComponentType<{ readonly task: Task; readonly onClose: () => void }>
  readonly isFor: (task: Task) => boolean
  readonly look?: "danger"
}

const isActive = ({ endedAt }: Task): boolean => endedAt === null

const actions: ReadonlyArray<Action> = [
  { name: "Steer", icon: "chat", dialog: SteerDialog, isFor: isActive },
  {
    name: "Retry",
    icon: "retry",
    dialog: RetryDialog,
    isFor: ({ status }) => status === "failed" || status === "cancelled"
  },
  { name: "Fork", icon: "fork", dialog: ForkDialog, isFor: () => true },
  { name: "Report", icon: "tree", dialog: CancelDialog, isFor: ({ status }) => status === "cancelled" },
  { name: "Cancel", icon: "stop", dialog: CancelDialog, isFor: isActive, look: "danger" }
]

export const Actions = ({ task }: { readonly task: Task }) => {
  const [open, setOpen] = useState<Action | undefined>()
  const mayOperate = useMay("operate")
  if (!mayOperate) return null
  const Open = open?.dialog
  return (
    <div className="row actions">
      {actions.filter(({ isFor }) => isFor(task)).map((action) => (
        <Button
          key={action.name}
          small
          look={action.look ?? "plain"}
          onClick={() => setOpen(action)}
        >
          <Icon name={action.icon} size={13} /> {action.name}
        </Button>
      ))}
      {Open === undefined ? null : <Open task={task} onClose={() => setOpen(undefined)} />}
    </div>
  )
}
