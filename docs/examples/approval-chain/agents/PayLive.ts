/** Pays an invoice once enough people have said yes to exactly that payment. */
import { Human, Step, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Bank from "./Bank.ts"

export const Pay = Workflow.make("pay", {
  description: "Pays a supplier what it is owed, with two approvals",
  input: Schema.Struct({
    supplier: Schema.String,
    /** How long the people have, in milliseconds. [two days] */
    patience: Schema.optionalKey(Schema.Int)
  }),
  output: Schema.Struct({ paid: Schema.Boolean, why: Schema.String })
})

// #region choose
const accountOf = (patience: number) =>
  Human.choose({
    message: "From which account?",
    options: [
      { value: "main", title: "The main account" },
      { value: "reserve", title: "The reserve", description: "only what cannot wait" }
    ],
    to: "@lead",
    within: patience,
    onSilence: { accept: "main" }
  })
// #endregion choose

// #region approve
const transferOf = (supplier: string, cents: number) => ({
  tool: "bank.transfer",
  arguments: { to: supplier, cents },
  policy: "payments/4"
})

const approvalOf = (supplier: string, cents: number, patience: number) =>
  Human.approve({
    ...transferOf(supplier, cents),
    message: `Pay ${supplier} what it is owed?`,
    to: "@lead",
    quorum: 2,
    within: patience,
    remind: patience / 4,
    escalate: [{ after: patience / 2, to: "@director", note: "two leads have not decided" }],
    holds: "7 days"
  })

const pay = Effect.fn("pay")(function*(supplier: string, patience: number) {
  const before = yield* Step.run("read", { supplier }, Bank.read(supplier))
  const approval = yield* approvalOf(supplier, before, patience)
  const account = yield* accountOf(patience)
  // days may have passed: what is paid is what is owed now, and that has to be what was approved
  const cents = yield* Step.run("read again", { supplier }, Bank.read(supplier))
  const action = transferOf(supplier, cents)
  yield* approval.use(action, Step.run("transfer", action, Bank.transfer(supplier, cents, account)))
  return `${approval.by.join(" and ")} agreed`
})
// #endregion approve

const twoDays = 2 * 24 * 60 * 60 * 1_000

// #region outcomes
export const PayLive = Pay.toLayer(({ patience = twoDays, supplier }) =>
  pay(supplier, patience).pipe(
    Effect.map((why) => ({ paid: true, why })),
    Effect.catchTag("NotAccepted", ({ action, by }) =>
      Effect.succeed({
        paid: false,
        why: action === "decline" ? `${by} said no` : `nobody decided (${action})`
      }))
  )
)
// #endregion outcomes
