/**
 * The official server of 2025-11-25 on standard input and output.
 */
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import { Controls, makeServer } from "../support/LegacyServer.ts"

await makeServer(new Controls()).connect(new StdioServerTransport())
