import { Empty } from "../ui/Empty.tsx"

export const AgentsPage = () => (
  <main className="page">
    <div className="page-inner">
      <h1>Agents</h1>
      <Empty icon="tree" title="Not here yet">This page comes with a later build of the console.</Empty>
    </div>
  </main>
)
