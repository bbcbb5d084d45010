import { Empty } from "../ui/Empty.tsx"

export const TopologyPage = () => (
  <main className="page">
    <div className="page-inner">
      <h1>Topology</h1>
      <Empty icon="fork" title="Not here yet">This page comes with a later build of the console.</Empty>
    </div>
  </main>
)
