/**
 * What stands around every page: where one can go, how fresh it is, who one is.
 */
import type { ReactNode } from "react"
import { Link, useLocation, useRoute } from "wouter"
import { useDev } from "../api/useDev.ts"
import { useInbox } from "../api/useService.ts"
import { useSignOut } from "../session/useSession.ts"
import { Button } from "../ui/Button.tsx"
import { Icon } from "../ui/Icon.tsx"
import { useTheme } from "../ui/theme.ts"
import { useTitle } from "../ui/useTitle.ts"
import { Brand } from "./Brand.tsx"
import { LiveBadge, OfflineBanner } from "./LiveBadge.tsx"

const Item = (
  { children, match, to }: { readonly to: string; readonly match: string; readonly children: ReactNode }
) => {
  const [isHere] = useRoute(match)
  const [isRun] = useRoute("/runs/*?")
  const isCurrent = isHere || to === "/" && isRun
  return <Link href={to} aria-current={isCurrent ? "page" : undefined}>{children}</Link>
}

const InboxItem = () => {
  const count = useInbox().data?.questions.length ?? 0
  return (
    <Item to="/inbox" match="/inbox/*?">
      Inbox
      {count === 0 ? null : (
        <span className="nav-count">
          {count}
          <span className="hidden-visually">open</span>
        </span>
      )}
    </Item>
  )
}

/** Only where there is something to develop; it says when an edit cannot run. */
const DevItem = () => {
  const { isDev, status } = useDev()
  if (!isDev) return null
  const hasProblem = status !== undefined && status.problem !== null
  return (
    <Item to="/dev" match="/dev">
      Dev
      {hasProblem
        ? (
          <span className="nav-count nav-bad">
            !<span className="hidden-visually">the code cannot run</span>
          </span>
        )
        : null}
    </Item>
  )
}

const ThemeButton = () => {
  const [theme, next] = useTheme()
  const icon = { auto: "auto", light: "sun", dark: "moon" } as const
  return (
    <Button look="quiet" small aria-label={`Theme: ${theme}`} title={`Theme: ${theme}`} onClick={next}>
      <Icon name={icon[theme]} />
    </Button>
  )
}

const SignOutButton = () => {
  const signOut = useSignOut()
  return (
    <Button look="quiet" small aria-label="Sign out" title="Sign out" onClick={() => signOut.mutate()}>
      <Icon name="exit" />
    </Button>
  )
}

const pageNames: Readonly<Record<string, string>> = {
  "": "Runs",
  runs: "Run",
  inbox: "Inbox",
  agents: "Agents",
  topology: "Topology",
  audit: "Audit",
  dev: "Development"
}

/** The tab says where it is, and how many questions are open, for whoever looks elsewhere. */
const usePageTitle = () => {
  const [path] = useLocation()
  const count = useInbox().data?.questions.length ?? 0
  useTitle(`${count === 0 ? "" : `(${count}) `}${pageNames[path.split("/")[1] ?? ""] ?? ""}`)
}

export const Shell = ({ children }: { readonly children: ReactNode }) => {
  usePageTitle()
  return (
    <div className="shell">
      <header className="topbar">
        <Link href="/" className="brand" aria-label="Coppice, runs">
          <Brand />
        </Link>
        <nav className="nav" aria-label="Pages">
          <Item to="/" match="/">Runs</Item>
          <InboxItem />
          <Item to="/agents" match="/agents/*?">Agents</Item>
          <Item to="/topology" match="/topology/*?">Topology</Item>
          <Item to="/audit" match="/audit/*?">Audit</Item>
          <DevItem />
        </nav>
        <div className="topbar-end">
          <LiveBadge />
          <ThemeButton />
          <SignOutButton />
        </div>
      </header>
      <OfflineBanner />
      {children}
    </div>
  )
}
