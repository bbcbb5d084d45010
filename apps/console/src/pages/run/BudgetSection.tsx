import type { Task } from "@coppice/api/Api"

const measures = ["calls", "tokens", "money"] as const

type Amounts = Readonly<Partial<Record<(typeof measures)[number], number>>>

const sum = (amounts: ReadonlyArray<Amounts>, measure: (typeof measures)[number]): number =>
  amounts.reduce((total, one) => total + (one[measure] ?? 0), 0)

const format = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 })

/** Money is kept in millionths. */
const show = (measure: string, value: number): string => format.format(measure === "money" ? value / 1_000_000 : value)

/** What a task and everything below it may use, and has used. */
export const BudgetSection = ({ task: { pool, spec: { budget } } }: { readonly task: Task }) => {
  if (budget === null && pool === undefined) return null
  const rows = measures.filter((measure) => budget?.[measure] != null || (pool?.spent[measure] ?? 0) > 0)
  if (rows.length === 0) return null
  const open = Object.values(pool?.open ?? {})
  return (
    <section className="detail-section">
      <h3>Budget</h3>
      <table className="figures num">
        <thead>
          <tr>
            <td />
            <th scope="col">spent</th>
            <th scope="col">reserved</th>
            <th scope="col">limit</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((measure) => (
            <tr key={measure}>
              <th scope="row">{measure}</th>
              <td>{show(measure, pool?.spent[measure] ?? 0)}</td>
              <td>{show(measure, sum(open, measure))}</td>
              <td>{budget?.[measure] == null ? "none" : show(measure, budget[measure])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
