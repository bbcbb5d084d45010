/**
 * Everything a user of Coppice imports.
 *
 * Definitions (`Agent`, `Workflow`), what handlers use (`Step`, `Human`, `Durable`, `Artifact`), and what runs them
 * (`Orchestrator`, and `Tasks` for programs that submit, watch and cancel themselves).
 *
 * @packageDocumentation
 */
export * as Agent from "@coppice/agent/Agent"
export {
  AmbiguousStep,
  BudgetExceeded,
  CallError,
  NotAccepted,
  NotRecordable,
  OutcomeUnknown,
  ReplayMismatch
} from "@coppice/agent/AgentError"
export * as Budget from "@coppice/agent/Budget"
export * as Caller from "@coppice/agent/Caller"
export * as Durable from "@coppice/agent/Durable"
export * as Human from "@coppice/agent/Human"
export * as Retry from "@coppice/agent/Retry"
export * as Saga from "@coppice/agent/Saga"
export * as Steering from "@coppice/agent/Steering"
export * as Step from "@coppice/agent/Step"
export * as Supervision from "@coppice/agent/Supervision"
export { TaskContext } from "@coppice/agent/TaskContext"
export * as Workflow from "@coppice/agent/Workflow"
export type { CancelPreview } from "@coppice/task/CancelPreview"
export type { CancelReport } from "@coppice/task/CancelReport"
export * as Content from "@coppice/task/Content"
export type { TaskId } from "@coppice/task/Task"
export { Tasks } from "@coppice/task/Tasks"
export * as Artifact from "./Artifact.ts"
export * as Compatibility from "./Compatibility.ts"
export * as Mcp from "./Mcp.ts"
export * as Orchestrator from "./Orchestrator.ts"
export * as Replay from "./Replay.ts"
