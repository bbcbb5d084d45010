/**
 * Has a child on a pipe, says its process id, and does nothing more.
 */
import { StdioServer } from "../../src/StdioServer.ts"

const server = new StdioServer({ command: process.execPath, args: [process.argv[2]!, "good"] })
await server.start()
process.stdout.write(`${server.processId}\n`)
