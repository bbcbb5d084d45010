/**
 * What MCP 2025-11-25 asks of tasks: 68 points, in the order of their numbers.
 */
import { open, type Point, shown, written } from "./Point.ts"

export const points: ReadonlyArray<Point> = [
  // negotiation
  shown("Whoever takes part in tasks says so when the session begins"),
  shown("Only requests of declared kinds are sent as tasks"),
  shown("A peer without the capability is asked for no task"),
  shown("The list of kinds is complete: what it does not name cannot become a task"),
  shown("No tool is called as a task where the server declares none for calls"),
  shown("No tool is called as a task that does not support it"),
  shown("Such a call is refused with -32601"),
  shown("An optional tool may be called either way"),
  shown("A required tool is called as a task; the server refuses other calls with -32601"),
  // creation
  shown("A requestor may ask for a time to live"),
  shown("The wish for a task is ignored on kinds that are not declared"),
  shown("A receiver may insist on a task for a kind it declares"),
  shown("The answer is the task, as soon as there is one"),
  shown("A task's id is a text"),
  shown("The receiver makes it"),
  shown("It is unique"),
  shown("A task begins in working"),
  shown("Its status changes only along the allowed ways"),
  shown("A task that has ended stays so"),
  // polling
  shown("The poll interval is respected"),
  shown("Polling goes on until the end or a question"),
  shown("Polling goes on while nobody waits on tasks/result"),
  shown("A client may leave a stream of tasks/get or tasks/result at any time"),
  shown("tasks/get is not upgraded to a stream"),
  // questions
  shown("A task that needs its requestor becomes input_required"),
  shown("The question names its task"),
  shown("The requestor calls tasks/result as soon as input is required"),
  shown("A task with all its answers leaves input_required"),
  // time to live
  shown("Every form of a task says when it was created"),
  shown("Every form of a task says when it last changed"),
  shown("The receiver may give another time to live than was asked for"),
  shown("tasks/get says the one that holds"),
  shown("After it the task may be forgotten"),
  shown("tasks/get may say how often to ask"),
  // results
  shown("tasks/result of an ended task is its outcome, a result or an error"),
  shown("Before the end it waits"),
  shown("It is exactly what the call would have returned"),
  // correlation
  shown("Messages that belong to a task name it"),
  shown("Questions from within a call name the call's task"),
  shown("The parameter taskId decides; related-task beside it is ignored"),
  shown("Results of get, list and cancel do not name the task again"),
  shown("The answer to tasks/result does"),
  // notifications and progress
  shown("Changes of status may be told"),
  shown("Nobody relies on being told"),
  shown("Such a notification does not name the task a second time"),
  shown("A progress token holds for the task's whole life"),
  shown("Progress stops at the end"),
  // lists
  shown("Lists come in pages"),
  shown("A page says when there is another"),
  shown("Cursors are opaque"),
  shown("What can be got can be found in the list"),
  // errors
  shown("An error of the call is the error of tasks/result; a result is a result"),
  shown("A failed task says why; a tool's own error is a failed task"),
  shown("-32602 for ids, cursors and cancellations that cannot be; -32603 for faults; each says something"),
  // cancellation
  shown("An ended task cannot be cancelled: -32602"),
  shown("The task is cancelled, and its work stopped, before the answer"),
  shown("It stays cancelled whatever its work does then"),
  shown("Cancelled tasks may be forgotten at any time"),
  shown("Tasks are cancelled by tasks/cancel, not by notifications/cancelled"),
  // security and operation
  shown("Tasks belong to whoever made them"),
  written("Where callers cannot be told apart, that is documented", "the page's section on callers"),
  shown("There, ids cannot be guessed"),
  shown("There, tasks cannot be listed"),
  shown("Another's tasks cannot be read, waited for, cancelled or listed"),
  open("Requests about tasks are limited in rate", "rates per principal belong to the service's door"),
  shown("There is a bound on open tasks, and how long results are kept"),
  shown("What happens to tasks is recorded with who did it"),
  shown("The requestor keeps track of its tasks")
]
