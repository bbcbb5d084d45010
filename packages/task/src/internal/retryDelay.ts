import type { TaskId } from "../Task.ts"
import { ofText } from "./checksum.ts"

const first = 1_000
const longest = 5 * 60_000

/**
 * How long to wait before a server is told once more, milliseconds: from one second, doubling to five minutes, and up to
 * a fifth more or less, by the task and the try, so that a server that comes back is not told of everything at once.
 */
export const retryDelay = (task: TaskId, tries: number): number => {
  const jitter = (ofText(`${task} ${tries}`) >>> 0) / 2 ** 32
  return Math.round(Math.min(first * 2 ** (tries - 1), longest) * (0.8 + 0.4 * jitter))
}
