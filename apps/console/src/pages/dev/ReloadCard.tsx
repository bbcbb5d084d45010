/**
 * How the last edit was taken up, or why it was not.
 */
import type { ContractChange, DevProblem, DevStatus, Reload } from "@coppice/api/DevApi"
import { duration } from "../../ui/Durations.ts"
import { Icon } from "../../ui/Icon.tsx"
import { Ago } from "../../ui/Time.tsx"

const Problem = ({ at, column, excerpt, file, line, message }: DevProblem) => (
  <div className="note tone-bad" role="alert">
    <Icon name="bang" />
    <div className="grow">
      <strong>The code on disk cannot run; the code of before runs on.</strong> <Ago at={at} />
      <span className="dev-line">{message}</span>
      {file === null ? null : (
        <pre className="dev-excerpt" tabIndex={0}>
          {file}
          {line === null ? "" : `:${line}${column === null ? "" : `:${column}`}`}
          {excerpt === null ? "" : `\n${excerpt}${column === null ? "" : `\n${" ".repeat(Math.max(0, column - 1))}^`}`}
        </pre>
      )}
    </div>
  </div>
)

const Contracts = ({ changes }: { readonly changes: ReadonlyArray<ContractChange> }) => (
  <section aria-label="Changed contracts" className="dev-diff">
    {changes.map(({ agent, breaks, message, part, path }) => (
      <p key={`${agent} ${part} ${path} ${message}`} className="dev-change">
        <span className={`status tone-${breaks ? "bad" : "good"}`}>
          <Icon name={breaks ? "bang" : "check"} /> {breaks ? "Breaks" : "Fits"}
        </span>
        <code>{`${agent} ${part}${path === "" ? "" : ` ${path}`}`}</code>
        <span>{message}</span>
      </p>
    ))}
  </section>
)

const Names = ({ names, what }: { readonly what: string; readonly names: ReadonlyArray<string> }) =>
  names.length === 0 ? null : (
    <>
      <dt>{what}</dt>
      <dd>{names.join(", ")}</dd>
    </>
  )

const Last = ({ added, at, changed, contracts, files, millis, removed, restart }: Reload) => (
  <>
    <p>
      Reloaded in <strong className="num">{duration(millis)}</strong>, <Ago at={at} />
    </p>
    <dl className="facts">
      <Names what="Files" names={files} />
      <Names what="Changed" names={changed} />
      <Names what="New" names={added} />
      <Names what="Gone" names={removed} />
      <Names what="Needs a new start" names={restart} />
    </dl>
    {contracts.length === 0 ? null : <Contracts changes={contracts} />}
  </>
)

export const ReloadCard = ({ config, last, problem, reloads, startedAt }: DevStatus) => (
  <section className="card" aria-labelledby="reload">
    <div className="card-head supervisor-head">
      <h2 id="reload" className="grow">Code</h2>
      <span className="muted">
        {reloads === 1 ? "1 reload" : `${reloads} reloads`} · started <Ago at={startedAt} />
      </span>
    </div>
    <div className="card-body stack">
      {problem === null ? null : <Problem {...problem} />}
      {last === null
        ? (
          <p className="muted">
            Nothing was edited yet. The next task runs what you save in <code>{config}</code> and all it imports.
          </p>
        )
        : <Last {...last} />}
    </div>
  </section>
)
