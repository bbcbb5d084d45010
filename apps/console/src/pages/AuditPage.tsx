import { Empty } from "../ui/Empty.tsx"

export const AuditPage = () => (
  <main className="page">
    <div className="page-inner">
      <h1>Audit</h1>
      <Empty icon="clock" title="Not here yet">This page comes with a later build of the console.</Empty>
    </div>
  </main>
)
