/**
 * Named places where a test can make the process die or fail: before and after every write of the log.
 *
 * They are compiled in and do nothing unless armed, by `arm` or by the environment variable `COPPICE_FAILPOINTS`, a
 * comma-separated list of `name=action@count`: the action (`kill` or `throw`) happens at the `count`-th hit.
 *
 * Names: `commit.before`, `commit.after`, and for each fact in the batch `before:<Fact>` and `after:<Fact>`, such as
 * `before:StepRecorded`. In a deletion, `removal.within` stands between a task's facts and its row, and
 * `removal.after` after the commit of each piece.
 */
export type FailpointAction = "kill" | "throw"

interface Armed {
  readonly action: FailpointAction
  remaining: number
}

const armed = new Map<string, Armed>()

/** Arms a failpoint: the action happens at its `count`-th hit from now. */
export const arm = (name: string, action: FailpointAction, count = 1): void => {
  armed.set(name, { action, remaining: count })
}

/** Disarms every failpoint. */
export const disarmAll = (): void => armed.clear()

/** Arms what `COPPICE_FAILPOINTS` says; entries that do not parse are reported, not ignored. */
export const armFromText = (text: string): ReadonlyArray<string> => {
  const refused: Array<string> = []
  for (const entry of text.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
    const match = /^([\w.:]+)=(kill|throw)(?:@(\d+))?$/.exec(entry)
    if (match === null) refused.push(entry)
    else arm(match[1]!, match[2] as FailpointAction, Number(match[3] ?? 1))
  }
  return refused
}

/** True when any failpoint is armed: the guard that keeps the hot path free of them. */
export const isArmed = (): boolean => armed.size > 0

/** Marks that execution passed here. */
export const hit = (name: string): void => {
  const point = armed.get(name)
  if (point === undefined) return
  point.remaining--
  if (point.remaining > 0) return
  armed.delete(name)
  if (point.action === "throw") throw new Error(`failpoint ${name}`)
  process.kill(process.pid, "SIGKILL")
}
