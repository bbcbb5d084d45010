/** What an MCP host sees of agents: policies, content, prompts and resources. */
// #region agents
import { Agent, Content, Mcp, Orchestrator } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Thumbnail = Agent.make("thumbnail", {
  description: "Draws a small picture of a page",
  input: Schema.Struct({ url: Schema.String }),
  output: Content.Result,
  // nothing to come back for: the caller always waits
  task: "never"
})

const Crawl = Agent.make("crawl", {
  description: "Reads a site, which takes hours",
  input: Schema.Struct({ url: Schema.String }),
  output: Schema.Struct({ pages: Schema.Int }),
  // hosts without tasks cannot call it
  task: "required"
})
// #endregion agents

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="

const ThumbnailLive = Thumbnail.toLayer(({ url }) =>
  Effect.succeed(Content.result(Content.text(url), Content.image(pixel, "image/png")))
)

const CrawlLive = Crawl.toLayer(() => Effect.as(Effect.sleep("1 hour"), { pages: 1_000 }))

// #region offer
const summary = Mcp.prompt({
  name: "summary",
  description: "Sums a site up",
  arguments: [{ name: "site", required: true }],
  get: ({ site }) =>
    Effect.succeed({
      messages: [{ role: "user" as const, content: Content.text(`Sum up ${site} in five lines.`) }]
    }),
  complete: (_argument, typed) =>
    Effect.succeed(["effect.website", "example.com"].filter((site) => site.startsWith(typed)))
})

const rules = Mcp.resource({
  uri: "site://rules",
  name: "rules",
  mimeType: "text/plain",
  read: Effect.succeed([{ uri: "site://rules", mimeType: "text/plain", text: "One page a second, and no more." }])
})

export const orchestrator = Orchestrator.make({
  agents: [ThumbnailLive, CrawlLive],
  mcp: { name: "sites", instructions: "Reads sites.", prompts: [summary], resources: [rules] }
})
// #endregion offer

const drawn = Orchestrator.run("thumbnail", { url: "https://example.com" })
const { ending } = await Effect.runPromise(Effect.provide(drawn, Orchestrator.layer(orchestrator)))

const kinds = ending._tag === "Completed" ? (ending.result as Content.Result).content.map(({ type }) => type) : []
if (kinds.join() !== "text,image") throw new Error(`not a picture with its address: ${kinds.join()}`)
console.log(kinds.join(" and "))
