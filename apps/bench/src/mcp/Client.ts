/**
 * Our own client of the service, over HTTP and over a pipe.
 */
import * as McpClient from "@coppice/mcp/McpClient"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import type { Place, ServicePlace } from "./Child.ts"

const cli = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url))

const connected = (endpoint: McpClient.Endpoint) => Effect.orDie(McpClient.make({ name: "bench", endpoint }))

export const overHttp = ({ token, url }: Place) =>
  connected({ _tag: "Http", url, headers: { authorization: `Bearer ${token}` } })

export const overStdio = ({ data }: ServicePlace) =>
  connected({ _tag: "Stdio", command: process.execPath, args: [cli, "mcp", "--data", data] })
