/**
 * The whole HTTP contract of a Coppice service, as data: the server implements it, the client is derived from it, and
 * `/api/v1/openapi.json` describes it.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"
import { AgentsApi } from "./AgentsApi.ts"
import { AuditApi } from "./AuditApi.ts"
import { DevApi } from "./DevApi.ts"
import { EventsApi } from "./EventsApi.ts"
import { Guard } from "./Guard.ts"
import { InboxApi } from "./InboxApi.ts"
import { LinkApi } from "./LinkApi.ts"
import { MessagesApi } from "./MessagesApi.ts"
import { ServiceApi } from "./ServiceApi.ts"
import { SessionApi } from "./SessionApi.ts"
import { TasksApi } from "./TasksApi.ts"

export type { Contract } from "@coppice/task/Contract"
export type { Settlement, Task, TaskId, TaskStatus } from "@coppice/task/Task"
export type { Envelope, InputRequest, TaskEvent } from "@coppice/task/TaskEvent"

/** Where the description of this API is served. */
export const openApiPath = "/api/v1/openapi.json"

export class Api extends HttpApi.make("coppice")
  .add(TasksApi)
  .add(InboxApi)
  .add(AgentsApi)
  .add(EventsApi)
  .add(AuditApi)
  .add(ServiceApi)
  .add(DevApi)
  .add(SessionApi)
  .add(MessagesApi)
  .add(LinkApi)
  .middleware(Guard)
  // a misspelt key of a request is an error, not an option nobody hears of; answers may grow
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotateMerge(OpenApi.annotations({
    title: "Coppice",
    description: "Submit, watch, answer and cancel the tasks of a Coppice service"
  }))
{}
