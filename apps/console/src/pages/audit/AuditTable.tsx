/**
 * Decisions, newest first.
 */
import type { AuditEntry } from "@coppice/api/AuditApi"
import { Link } from "wouter"
import { moment } from "../../ui/Durations.ts"
import { Icon, type IconName } from "../../ui/Icon.tsx"
import type { Tone } from "../../ui/Status.tsx"
import { Ago } from "../../ui/Time.tsx"
import { words } from "./AuditFilter.ts"

const looks: Readonly<Record<AuditEntry["kind"], readonly [Tone, IconName]>> = {
  submitted: ["working", "play"],
  answered: ["good", "chat"],
  voted: ["good", "plus"],
  delegated: ["working", "right"],
  steered: ["working", "fork"],
  cancelled: ["off", "stop"],
  deleted: ["off", "cross"],
  refused: ["bad", "bang"]
}

const What = ({ kind }: Pick<AuditEntry, "kind">) => {
  const [tone, icon] = looks[kind]
  return (
    <span className={`status tone-${tone}`}>
      <Icon name={icon} /> {words[kind]}
    </span>
  )
}

const About = ({ agent, kind, run, task }: AuditEntry) => {
  if (task === null || run === null) return <span className="faint">–</span>
  const name = <span className="audit-agent">{agent ?? "a task"}</span>
  return (
    <>
      {/* a deleted run is remembered here and nowhere else */}
      {kind === "deleted"
        ? name
        : <Link href={task === run ? `/runs/${run}` : `/runs/${run}?task=${task}`}>{name}</Link>}
      <span className="id clip">{task}</span>
    </>
  )
}

const Details = ({ detail }: Pick<AuditEntry, "detail">) => (
  <ul className="audit-details">
    {Object.entries(detail).map(([name, value]) => (
      <li key={name}>
        <span className="muted">{name}</span> <span>{typeof value === "string" ? value : JSON.stringify(value)}</span>
      </li>
    ))}
  </ul>
)

export const AuditTable = ({ entries }: { readonly entries: ReadonlyArray<AuditEntry> }) => (
  <table className="audit">
    <caption className="hidden-visually">Decisions, newest first</caption>
    <thead>
      <tr>
        <th scope="col">#</th>
        <th scope="col">When</th>
        <th scope="col">Who</th>
        <th scope="col">Decision</th>
        <th scope="col">About</th>
        <th scope="col">Details</th>
        <th scope="col">Hash</th>
      </tr>
    </thead>
    <tbody>
      {entries.map((entry) => (
        <tr key={entry.n}>
          <td className="num faint audit-n">{entry.n}</td>
          <td className="audit-when">
            <Ago at={entry.at} /> <span className="faint audit-moment">{moment(entry.at)}</span>
          </td>
          <td className="audit-who">{entry.by}</td>
          <td className="audit-what">
            <What kind={entry.kind} />
          </td>
          <td className="audit-about">
            <About {...entry} />
          </td>
          <td className="audit-detail">
            <Details detail={entry.detail} />
          </td>
          <td className="audit-hash">
            <code title={entry.hash}>{entry.hash.slice(0, 8)}</code>
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)
