import { assert, describe, it } from "@effect/vitest"
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../src/Api.ts"

const operations = Object.entries(OpenApi.fromApi(Api).paths).flatMap(([path, methods]) =>
  Object.entries(methods as Record<string, OpenApi.OpenAPISpecOperation>).map(([method, operation]) => ({
    path,
    method: method.toUpperCase(),
    ...operation
  }))
)

describe("Api", () => {
  // A contract: the CLI, the console and people's scripts call these.
  it("has these routes and answers", () => {
    const routes = operations.map(({ method, path, responses }) =>
      `${method} ${path} → ${Object.keys(responses).join(" ")}`
    )
    assert.deepStrictEqual(routes.toSorted(), [
      "DELETE /api/v1/dev/faults → 204 400 401 403 404 413 415 500 503",
      "DELETE /api/v1/dev/faults/{id} → 200 400 401 403 404 409 413 415 500 503",
      "DELETE /api/v1/session → 204 400 413 415 500 503",
      "DELETE /api/v1/tasks/{id} → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/agents → 200 400 401 403 413 415 500 503",
      "GET /api/v1/audit → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/audit/check → 200 400 401 403 413 415 500 503",
      "GET /api/v1/dev → 200 400 401 403 404 413 415 500 503",
      "GET /api/v1/events → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/inbox → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/info → 200 400 413 415 500 503",
      "GET /api/v1/session → 200 400 401 403 413 415 500 503",
      "GET /api/v1/tasks → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/tasks/{id} → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/tasks/{id}/cancel → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/tasks/{id}/cancel/preview → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/tasks/{id}/events → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/tasks/{id}/messages → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/tasks/{id}/result → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/tasks/{id}/tree → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/tasks/{id}/why → 200 400 401 403 404 409 413 415 500 503",
      "GET /api/v1/topology → 200 400 401 403 413 415 500 503",
      "GET /healthz → 200 400 413 415 500 503",
      "GET /readyz → 200 400 413 415 500 503",
      "POST /api/v1/dev/faults → 200 400 401 403 404 413 415 500 503",
      "POST /api/v1/inbox/shown → 204 400 401 403 413 415 500 503",
      "POST /api/v1/link/answer → 200 400 403 404 409 413 415 500 503",
      "POST /api/v1/link/open → 200 400 403 404 409 413 415 500 503",
      "POST /api/v1/session → 200 400 401 413 415 500 503",
      "POST /api/v1/tasks → 201 400 401 403 404 409 413 415 429 500 503",
      "POST /api/v1/tasks/{id}/answer → 200 400 401 403 404 409 413 415 500 503",
      "POST /api/v1/tasks/{id}/cancel → 200 400 401 403 404 409 413 415 500 503",
      "POST /api/v1/tasks/{id}/delegate → 200 400 401 403 404 409 413 415 500 503",
      "POST /api/v1/tasks/{id}/fork → 201 400 401 403 404 409 413 415 429 500 503",
      "POST /api/v1/tasks/{id}/retry → 201 400 401 403 404 409 413 415 429 500 503",
      "POST /api/v1/tasks/{id}/steer → 200 400 401 403 404 409 413 415 500 503"
    ])
  })

  it("asks for the token wherever task data is", () => {
    const open = operations.filter(({ security }) => security.length === 0)
    assert.deepStrictEqual(open.map(({ path }) => path).toSorted(), [
      "/api/v1/info",
      // the token of an answer link is in the body
      "/api/v1/link/answer",
      "/api/v1/link/open",
      // making a session takes the token in its body, ending one needs none
      "/api/v1/session",
      "/api/v1/session",
      "/healthz",
      "/readyz"
    ])
  })

  it("names the shapes people read about", () => {
    const { components } = OpenApi.fromApi(Api)
    assert.includeMembers(Object.keys(components.schemas), [
      "Task",
      "TaskEvent",
      "Contract",
      "CancelReport",
      "ErrorBody"
    ])
  })
})
