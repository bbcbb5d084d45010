/**
 * What can be made to go wrong.
 */
import type { DevStatus, FaultRequest } from "@coppice/api/DevApi"
import { type ReactNode, useId, useState } from "react"
import { useFault } from "../../api/useDev.ts"
import { Button } from "../../ui/Button.tsx"
import { duration } from "../../ui/Durations.ts"
import { Icon } from "../../ui/Icon.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { jumps, type NetworkFault, networkFaults, requestOf } from "./FaultForm.ts"

const Row = ({ children, title }: { readonly title: string; readonly children: ReactNode }) => (
  <div className="fault-row" role="group" aria-label={title}>
    <h3>{title}</h3>
    <div className="fault-controls">{children}</div>
  </div>
)

const Network = ({ fault: { about, initial, kind, label, unit }, onAsk, target }: {
  readonly fault: NetworkFault
  readonly target: string
  readonly onAsk: (request: FaultRequest) => void
}) => {
  const id = useId()
  const [amount, setAmount] = useState(String(initial))
  const wanted = Number(amount)
  return (
    <div className="fault">
      <Button
        disabled={target === "" || !(wanted > 0)}
        aria-describedby={id}
        onClick={() => onAsk(requestOf(kind, target, wanted))}
      >
        {label}
      </Button>
      <input
        className="field-input fault-amount num"
        type="number"
        min={0}
        step="any"
        aria-label={`${label}: ${unit}`}
        value={amount}
        onChange={({ target: input }) => setAmount(input.value)}
      />
      <span className="muted">{unit}</span>
      <span id={id} className="faint fault-about">{about}</span>
    </div>
  )
}

const Targets = ({ onChange, target, targets: { hosts, servers } }: {
  readonly targets: DevStatus["targets"]
  readonly target: string
  readonly onChange: (target: string) => void
}) => {
  const id = useId()
  return (
    <>
      <input
        className="field-input fault-target"
        list={id}
        aria-label="Server or host"
        placeholder="Server or host, such as api.example.com"
        spellCheck={false}
        value={target}
        onChange={({ target: input }) => onChange(input.value)}
      />
      <datalist id={id}>{[...servers, ...hosts].map((name) => <option key={name} value={name} />)}</datalist>
    </>
  )
}

const Agents = ({ names, onAsk }: {
  readonly names: ReadonlyArray<string>
  readonly onAsk: (request: FaultRequest) => void
}) => {
  const [chosen, setChosen] = useState("")
  const agent = names.includes(chosen) ? chosen : names[0]
  return (
    <>
      <select
        className="field-input fault-target"
        aria-label="Agent"
        value={agent}
        onChange={({ target }) => setChosen(target.value)}
      >
        {names.map((name) => <option key={name}>{name}</option>)}
      </select>
      <Button
        disabled={agent === undefined}
        onClick={() => agent === undefined || onAsk({ kind: "kill-worker", agent })}
      >
        Kill its server
      </Button>
      <Button look="danger" onClick={() => onAsk({ kind: "kill-process" })}>Kill the process</Button>
    </>
  )
}

export const FaultPanel = ({ clock, targets }: DevStatus) => {
  const fault = useFault()
  const [typed, setTarget] = useState<string>()
  const target = (typed ?? targets.servers[0] ?? targets.hosts[0] ?? "").trim()
  const ask = (request: FaultRequest) => fault.mutate(request)
  return (
    <section className="card" aria-labelledby="faults">
      <div className="card-head supervisor-head">
        <h2 id="faults" className="grow">Faults</h2>
        <span className="muted">what the log holds has to survive all of them</span>
      </div>
      <div className="card-body stack">
        <Row title="Kill">
          <Agents names={targets.agents} onAsk={ask} />
        </Row>
        <Row title="Network">
          <Targets targets={targets} target={typed ?? target} onChange={setTarget} />
          {networkFaults.map((one) => <Network key={one.kind} fault={one} target={target} onAsk={ask} />)}
        </Row>
        <Row title="Time">
          {jumps.map(({ label, millis }) => (
            <Button key={label} onClick={() => ask({ kind: "jump", millis })}>
              <Icon name="clock" /> Jump {label}
            </Button>
          ))}
          <span className="muted">
            {clock.ahead === 0 ? "It cannot be set back." : `${duration(clock.ahead)} ahead now`}
          </span>
        </Row>
        {fault.error === null ? null : <ErrorNote error={fault.error} />}
      </div>
    </section>
  )
}
