/**
 * Agents that return content, report progress, write log lines and fail.
 */
import { Agent, Content, Durable } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A red pixel. */
export const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="

/** A moment of silence. */
const silence = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

export const nothing = Schema.Struct({})

/** An agent that takes nothing and returns content. */
export const contentAgent = <const Name extends string>(name: Name, description: string) =>
  Agent.make(name, { description, input: nothing, output: Content.Result })

const returns = (name: string, description: string, ...blocks: ReadonlyArray<Content.Block>) =>
  contentAgent(name, description).toLayer(() => Effect.succeed(Content.result(...blocks)))

const pause = Effect.sleep("50 millis")

const Logging = contentAgent("test_tool_with_logging", "Writes log lines").toLayer(
  Effect.fn("logging")(function*() {
    yield* Durable.log("info", "Tool execution started")
    yield* pause
    yield* Durable.log("info", "Tool processing data")
    yield* pause
    yield* Durable.log("info", "Tool execution completed")
    return Content.result(Content.text("Tool with logging executed successfully"))
  })
)

const Progress = contentAgent("test_tool_with_progress", "Reports progress").toLayer(
  Effect.fn("progress")(function*() {
    for (const progress of [0, 50, 100]) {
      yield* Durable.progress({ progress, total: 100, message: `Completed step ${progress} of 100` })
      if (progress < 100) yield* pause
    }
    return Content.result(Content.text("done"))
  })
)

const Failing = Agent.make("test_error_handling", {
  description: "Fails with a declared error",
  input: nothing,
  output: Content.Result,
  error: Schema.String
}).toLayer(() => Effect.fail("This tool intentionally returns an error for testing"))

const LogLine = contentAgent("test_logging_tool", "Writes one log line").toLayer(() =>
  Effect.as(Durable.log("info", "test_logging_tool ran"), Content.result(Content.text("logged")))
)

export const content = [
  returns("test_simple_text", "Returns text", Content.text("This is a simple text response for testing.")),
  returns("test_image_content", "Returns an image", Content.image(pixel, "image/png")),
  returns("test_audio_content", "Returns sound", Content.audio(silence, "audio/wav")),
  returns(
    "test_embedded_resource",
    "Returns a resource",
    Content.resource({
      uri: "test://embedded-resource",
      mimeType: "text/plain",
      text: "This is an embedded resource content."
    })
  ),
  returns(
    "test_multiple_content_types",
    "Returns text, an image and a resource",
    Content.text("Multiple content types test:"),
    Content.image(pixel, "image/png"),
    Content.resource({
      uri: "test://mixed-content-resource",
      mimeType: "application/json",
      text: JSON.stringify({ test: "data", value: 123 })
    })
  ),
  returns("test_streaming_elicitation", "Returns text", Content.text("result frames only")),
  Logging,
  Progress,
  Failing,
  LogLine
]
