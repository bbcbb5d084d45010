import { Empty } from "../../ui/Empty.tsx"

export const InboxPage = () => (
  <main className="page">
    <div className="page-inner">
      <h1>Inbox</h1>
      <Empty icon="chat" title="Not here yet">This page comes with a later build of the console.</Empty>
    </div>
  </main>
)
