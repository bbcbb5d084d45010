/**
 * The names under which answers of the service are kept, so that the live feed finds what a fact changes.
 */
export const keys = {
  session: ["session"],
  info: ["info"],
  agents: ["agents"],
  topology: ["topology"],
  audit: (query: object) => ["audit", query],
  dev: ["dev"],
  inbox: ["inbox"],
  runs: (filter: object) => ["runs", filter],
  task: (id: string) => ["task", id],
  /** Of a run, by the id of its root. */
  tree: (run: string) => ["tree", run],
  /** What other Coppices tell of it. */
  elsewhere: (run: string) => ["elsewhere", run],
  result: (id: string) => ["result", id],
  why: (id: string) => ["why", id],
  report: (id: string) => ["report", id],
  events: (id: string, of: "task" | "tree") => ["events", id, of],
  messages: (id: string) => ["messages", id]
} as const
