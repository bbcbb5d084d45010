/**
 * Outlives this process by a few seconds, to end a group of processes that it leaves behind.
 *
 * A process that is killed cannot stop what it has started. Most programs behind a pipe go when their input ends; for the
 * others, and for what they have started, a shell waits at the end of a pipe of its own. It ends when we do, however that
 * was: then the group gets the time it would have had, SIGTERM, the same time again, and SIGKILL. A group that is gone is
 * left alone at once, so that its number is not mistaken for whoever has it next.
 */
import { type ChildProcess, spawn } from "node:child_process"
import type { Socket } from "node:net"

/** `$1`: the group; `$2`: tenths of a second between the steps. */
const script = `
gone() { ! kill -s 0 -- "-$1" 2>/dev/null; }
wait_for() { n=0; while [ $n -lt "$2" ]; do gone "$1" && exit 0; sleep 0.1 || sleep 1; n=$((n + 1)); done; }
while read -r _; do :; done
wait_for "$1" "$2"; kill -s TERM -- "-$1"
wait_for "$1" "$2"; kill -s KILL -- "-$1"
`

export class Warden {
  private readonly shell: ChildProcess

  /** `group`: the id of its first process. `patience`: milliseconds. Where there is no shell, nobody watches. */
  constructor(group: number, patience: number) {
    const tenths = String(Math.ceil(patience / 100))
    this.shell = spawn("/bin/sh", ["-c", script, "coppice-warden", String(group), tenths], {
      // a signal to our own group does not reach it
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      env: { PATH: process.env["PATH"] },
      cwd: "/"
    })
    this.shell.on("error", () => {})
    this.shell.unref()
    const input = this.shell.stdin as Socket
    input.on("error", () => {}).unref()
  }

  /** There is nothing left to end. */
  dismiss(): void {
    this.shell.kill("SIGKILL")
  }
}
