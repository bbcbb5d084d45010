/**
 * Who comes without a session is asked for a token; everybody else gets the page of the address.
 */
import { Route, Switch } from "wouter"
import { LiveProvider } from "./live/Live.tsx"
import { AgentsPage } from "./pages/agents/AgentsPage.tsx"
import { AnswerPage } from "./pages/answer/AnswerPage.tsx"
import { AuditPage } from "./pages/audit/AuditPage.tsx"
import { DevPage } from "./pages/dev/DevPage.tsx"
import { InboxPage } from "./pages/inbox/InboxPage.tsx"
import { NotFoundPage } from "./pages/NotFoundPage.tsx"
import { RunPage } from "./pages/run/RunPage.tsx"
import { RunsPage } from "./pages/runs/RunsPage.tsx"
import { TopologyPage } from "./pages/topology/TopologyPage.tsx"
import { SignIn } from "./session/SignIn.tsx"
import { useSession } from "./session/useSession.ts"
import { Shell } from "./shell/Shell.tsx"
import { Button } from "./ui/Button.tsx"
import { ErrorNote } from "./ui/Note.tsx"

const Pages = () => (
  <Switch>
    <Route path="/" component={RunsPage} />
    <Route path="/runs" component={RunsPage} />
    <Route path="/runs/:id">{({ id }) => <RunPage key={id} id={id} />}</Route>
    <Route path="/inbox/*?" component={InboxPage} />
    <Route path="/agents/*?" component={AgentsPage} />
    <Route path="/topology/*?" component={TopologyPage} />
    <Route path="/audit/*?" component={AuditPage} />
    <Route path="/dev" component={DevPage} />
    <Route component={NotFoundPage} />
  </Switch>
)

const Console = () => {
  const { data: session, error, refetch } = useSession()
  if (session === null) return <SignIn />
  if (session === undefined) {
    return (
      <main className="gate">
        {error === null ? <span role="status" className="muted">Loading…</span> : (
          <div className="stack">
            <ErrorNote error={error} />
            <Button onClick={() => void refetch()}>Try again</Button>
          </div>
        )}
      </main>
    )
  }
  return (
    <LiveProvider>
      <Shell>
        <Pages />
      </Shell>
    </LiveProvider>
  )
}

/** An answer link is a right of its own: its page asks for no session. */
export const App = () => (
  <Switch>
    <Route path="/answer" component={AnswerPage} />
    <Route component={Console} />
  </Switch>
)
