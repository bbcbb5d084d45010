/**
 * What the tasks extension of MCP 2026-07-28 asks: 47 points, in the order of their numbers.
 */
import { type Point, shown, written } from "./Point.ts"

export const points: ReadonlyArray<Point> = [
  // negotiation
  shown("The server alone decides whether a call becomes a task"),
  shown("A request that does not declare the extension gets no task"),
  shown("A client that declares it takes either answer"),
  shown("A task for a kind of request that has none is invalid"),
  shown("A tool that cannot do without answers -32021 and names the extension"),
  written("More kinds of requests may follow", "a matter of design: a call's task is made in one place"),
  // the answer
  shown("The answer that makes a task is of the type task"),
  shown("No other answer is"),
  shown("There is no answer before the task is durable"),
  shown("Questions of the call itself come before the task"),
  // polling
  shown("A task says how often to ask"),
  shown("Polling goes on until the end"),
  shown("Task ids are kept across restarts"),
  shown("tasks/get has the questions, the result or the error, by status"),
  shown("It is of the type complete"),
  shown("A task says how long it is kept, and may be forgotten after that"),
  // answers
  shown("Questions are answered by tasks/update"),
  shown("Questions get no more trust than requests of their own"),
  shown("A question is shown once, however often it is polled"),
  shown("A key names one question in the task's whole life"),
  shown("An update is acknowledged with nothing; an unknown task is an error"),
  shown("Answers nobody asked for are passed over; some may come before others"),
  shown("The acknowledgement is of the type complete"),
  // cancellation
  shown("notifications/cancelled is not for tasks"),
  shown("A cancellation is acknowledged with nothing; an unknown task is an error"),
  shown("The acknowledgement is of the type complete"),
  shown("A client may forget the task it cancelled"),
  // notifications
  shown("Changes may be told, with the whole task"),
  shown("Listening to tasks without the extension is -32021"),
  shown("Progress and log lines are not told on that stream"),
  // HTTP
  shown("Mcp-Name carries the task's id"),
  // errors
  shown("An unknown task is -32602"),
  shown("A fault is -32603"),
  shown("Each request about tasks needs the extension: -32021"),
  shown("Errors say something"),
  shown("A failed task carries its error and says why"),
  shown("A tool's own error is a completed task"),
  shown("Results and errors are exactly the call's"),
  // security
  shown("Ids cannot be guessed"),
  shown("Every request about a task is authorized"),
  shown("A host gives a task's questions no more trust than others"),
  // beside the older revision
  shown("The extension enables nothing under 2025-11-25"),
  shown("The older capability alone declares nothing"),
  shown("Tasks of the older revision can still be read and cancelled under it"),
  shown("tasks/result is gone: -32601"),
  shown("The older wish for a task is ignored"),
  shown("The older capability is not advertised")
]
