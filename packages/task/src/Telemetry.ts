/**
 * Every name that leaves a Coppice process in a span or a metric.
 *
 * Names under `gen_ai` follow `open-telemetry/semantic-conventions-genai` (spans.yaml at 002c8a6e, metrics.yaml at
 * 004902b8, all "Development"); everything that convention has no word for is under `coppice`. Change a name here or
 * nowhere. Span names carry the names of agents, workflows and steps, which are few; never ids, inputs or messages.
 */

/** Names of spans. */
export const spanName = {
  /** A run's root when it is a workflow. */
  invokeWorkflow: (workflow: string): string => `invoke_workflow ${workflow}`,
  /** A task of an agent. */
  invokeAgent: (agent: string): string => `invoke_agent ${agent}`,
  /** A recorded step. */
  step: (step: string): string => `step ${step}`,
  /** An execution of a task, from the second one on. */
  attempt: (attempt: number): string => `attempt ${attempt}`,
  /** A question until its answer. */
  awaitHuman: "await_human",
  /** The zero-length mark that a run has begun, visible while it runs. */
  taskCreated: "task created"
} as const

/** Names of attributes. */
export const attribute = {
  operation: "gen_ai.operation.name",
  agentName: "gen_ai.agent.name",
  agentVersion: "gen_ai.agent.version",
  workflowName: "gen_ai.workflow.name",
  /** The run's id: what GenAI views group by. */
  conversation: "gen_ai.conversation.id",
  errorType: "error.type",
  run: "coppice.run.id",
  /** The public id; wire handles never leave in telemetry. */
  task: "coppice.task.id",
  parentTask: "coppice.task.parent_id",
  status: "coppice.task.status",
  settlement: "coppice.task.settlement",
  attempt: "coppice.attempt",
  retryOf: "coppice.task.retry_of",
  forkOf: "coppice.task.fork_of",
  /** A digest of the step's key: the key itself may hold the input. */
  stepKey: "coppice.step.key",
  /** Steps of the task that have no span of their own, because the run has too many. */
  stepsSummarised: "coppice.steps.summarised",
  waitReason: "coppice.wait.reason",
  humanAction: "coppice.human.action",
  cancelOrigin: "coppice.cancel.origin"
} as const

/** Values of `gen_ai.operation.name`. */
export const operation = { invokeWorkflow: "invoke_workflow", invokeAgent: "invoke_agent" } as const

/** Names of events on spans. */
export const spanEvent = {
  cancelled: "task.cancelled",
  inputRequired: "input.required",
  inputReceived: "input.received",
  steered: "task.steered"
} as const

/** Names of metrics. */
export const metric = {
  /** Spans that will never arrive: the collector refused them, or too many were waiting. */
  spansDropped: "coppice.spans.dropped",
  spansExported: "coppice.spans.exported",
  /** How late timers fire, milliseconds: what code that computes does to everybody else. */
  eventLoopLag: "coppice.event_loop.lag"
} as const

/** `service.name` of a role: what a trace viewer colours by. */
export const service = {
  orchestrator: "coppice.orchestrator",
  agent: (agent: string): string => `agent.${agent}`
} as const
