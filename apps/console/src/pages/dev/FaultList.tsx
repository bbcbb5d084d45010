import type { Fault } from "@coppice/api/DevApi"
import { useState } from "react"
import { useClear } from "../../api/useDev.ts"
import { Button } from "../../ui/Button.tsx"
import { Icon, type IconName } from "../../ui/Icon.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import type { Tone } from "../../ui/Status.tsx"
import { Ago, Countdown } from "../../ui/Time.tsx"

const looks: Readonly<Record<Fault["state"], readonly [Tone, IconName, string]>> = {
  active: ["bad", "bang", "Active"],
  over: ["off", "check", "Over"],
  cleared: ["off", "cross", "Taken back"]
}

const CopyTest = ({ test }: Pick<Fault, "test">) => {
  const [copied, setCopied] = useState(false)
  return (
    <Button
      small
      onBlur={() => setCopied(false)}
      onClick={() => void navigator.clipboard.writeText(test).then(() => setCopied(true), () => setCopied(false))}
    >
      <Icon name={copied ? "check" : "copy"} /> {copied ? "Copied" : "Copy as a test"}
    </Button>
  )
}

const Item = ({ fault: { at, id, state, struck, test, text, until }, onClear }: {
  readonly fault: Fault
  readonly onClear: (id: string) => void
}) => {
  const [tone, icon, label] = looks[state]
  return (
    <li className="agent agent-row fault-item">
      <span className={`status tone-${tone}`}>
        <Icon name={icon} /> {label}
      </span>
      <div className="agent-words">
        <h3>{text}</h3>
        <p className="agent-trouble muted">
          <Ago at={at} /> · {struck === 1 ? "struck once" : `struck ${struck} times`}
          {state !== "active" || until === null ? null : (
            <>
              · ends <Countdown to={until} />
            </>
          )}
        </p>
        <details>
          <summary className="muted">As a test</summary>
          <pre className="dev-excerpt" tabIndex={0}>{test}</pre>
        </details>
      </div>
      <span className="row">
        {state === "active" ? <Button small onClick={() => onClear(id)}>Take back</Button> : null}
        <CopyTest test={test} />
      </span>
    </li>
  )
}

/** The faults so far, newest first; each as a test to copy. */
export const FaultList = ({ faults }: { readonly faults: ReadonlyArray<Fault> }) => {
  const clear = useClear()
  const active = faults.filter(({ state }) => state === "active").length
  return (
    <section className="card" aria-labelledby="applied">
      <div className="card-head">
        <h2 id="applied" className="grow">Applied</h2>
        {active < 2 ? null : <Button small onClick={() => clear.mutate("")}>Take all {active} back</Button>}
      </div>
      {clear.error === null ? null : <ErrorNote error={clear.error} />}
      {faults.length === 0 ?
        <p className="card-body muted">None yet. Each can be copied as a test.</p> :
        (
          <ul className="agents">
            {faults.map((fault) => <Item key={fault.id} fault={fault} onClear={(id) => clear.mutate(id)} />)}
          </ul>
        )}
    </section>
  )
}
