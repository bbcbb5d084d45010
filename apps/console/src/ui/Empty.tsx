import type { ReactNode } from "react"
import { Icon, type IconName } from "./Icon.tsx"

/** What stands where nothing is, and how something would come there. */
export const Empty = ({ children, icon, title }: {
  readonly title: string
  readonly icon?: IconName
  readonly children?: ReactNode
}) => (
  <div className="empty">
    {icon === undefined ? null : <Icon name={icon} size={34} />}
    <h2>{title}</h2>
    {children === undefined ? null : <div>{children}</div>}
  </div>
)
