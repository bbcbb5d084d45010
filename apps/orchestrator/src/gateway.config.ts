/**
 * The configuration of `coppice gateway`: one foreign MCP server, all of its tools as agents, offered on as they are.
 *
 * Which server is told by `COPPICE_GATEWAY`, as JSON: `{ name, url }`, or `{ name, command, args }`.
 */
import * as Orchestrator from "coppice/Orchestrator"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Target = Schema.Union([
  Schema.Struct({ name: Schema.String, url: Schema.String }),
  Schema.Struct({ name: Schema.String, command: Schema.String, args: Schema.Array(Schema.String) })
])

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Target))

const target = Option.getOrThrowWith(
  decode(process.env["COPPICE_GATEWAY"]),
  () => new Error("COPPICE_GATEWAY has to name a server: { name, url }, or { name, command, args }")
)

export default Orchestrator.make({
  agents: [],
  servers: { [target.name]: { ...target, agents: "all", listed: true } },
  mcp: { name: `${target.name}-gateway` }
})
