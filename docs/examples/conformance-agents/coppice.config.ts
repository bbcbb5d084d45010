/**
 * The fixture agents of MCP's official conformance suite, written and served like any others:
 * `coppice serve --config docs/examples/conformance-agents/coppice.config.ts`.
 */
import { Orchestrator } from "coppice"
import { asking } from "./asking.ts"
import { content } from "./content.ts"
import { offer } from "./offer.ts"
import { tasks } from "./tasks.ts"

export default Orchestrator.make({
  agents: [...content, ...asking, ...tasks],
  mcp: offer,
  service: { mcpAuth: "none" }
})
