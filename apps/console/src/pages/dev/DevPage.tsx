/**
 * What `coppice dev` adds: how edits are taken up, and faults on demand.
 */
import { useDev } from "../../api/useDev.ts"
import { useMay } from "../../session/useSession.ts"
import { Empty } from "../../ui/Empty.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { FaultList } from "./FaultList.tsx"
import { FaultPanel } from "./FaultPanel.tsx"
import { OutgrownCard } from "./OutgrownCard.tsx"
import { ReloadCard } from "./ReloadCard.tsx"

const Elsewhere = () => (
  <Empty icon="fork" title="This service was not started for development">
    <p>
      <code>coppice dev</code> takes up edits while it runs, and lets you break things on purpose.
    </p>
  </Empty>
)

export const DevPage = () => {
  const { error, isDev, status } = useDev()
  const mayBreak = useMay("operate")
  return (
    <main className="page">
      <div className="page-inner stack">
        <h1>Development</h1>
        {isDev ? null : <Elsewhere />}
        {error === null ? null : <ErrorNote error={error} />}
        {isDev && status === undefined && error === null ? <Skeleton /> : null}
        {status === undefined ? null : (
          <>
            <ReloadCard {...status} />
            {status.outgrown.length === 0 ? null : <OutgrownCard tasks={status.outgrown} />}
            {mayBreak ? <FaultPanel {...status} /> : null}
            <FaultList faults={status.faults} />
          </>
        )}
      </div>
    </main>
  )
}
