/**
 * Everything about the selected task.
 */
import type { Task } from "@coppice/api/Api"
import { useState } from "react"
import { Status } from "../../ui/Status.tsx"
import { type Tab, Tabs } from "../../ui/Tabs.tsx"
import { Actions } from "./actions/Actions.tsx"
import { ConversationTab } from "./ConversationTab.tsx"
import { EventsTab } from "./EventsTab.tsx"
import { MessagesTab } from "./MessagesTab.tsx"
import { OverviewTab } from "./OverviewTab.tsx"

export const DetailPanel = ({ onSelect, task }: { readonly task: Task; readonly onSelect: (id: string) => void }) => {
  const [tab, setTab] = useState("overview")
  const { id } = task
  const tabs: ReadonlyArray<Tab> = [
    { name: "overview", title: "Overview", panel: () => <OverviewTab key={id} task={task} onSelect={onSelect} /> },
    { name: "conversation", title: "Conversation", panel: () => <ConversationTab key={id} id={id} /> },
    { name: "events", title: "Events", panel: () => <EventsTab key={id} id={id} /> },
    { name: "messages", title: "MCP messages", panel: () => <MessagesTab key={id} id={id} /> }
  ]
  return (
    <section className="detail" aria-label={`Task ${task.agent}`}>
      <div className="detail-head">
        <div className="row">
          <h2 className="clip">{task.agent}</h2>
          <Status task={task} />
        </div>
        <Actions key={id} task={task} />
      </div>
      <Tabs label="About this task" tabs={tabs} current={tab} onChange={setTab} />
    </section>
  )
}
