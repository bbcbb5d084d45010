/**
 * Has a child on a pipe, says their process ids as far as the child tells, and does nothing more.
 */
import { StdioServer } from "../../src/StdioServer.ts"

const server = new StdioServer({ command: process.execPath, args: [process.argv[2]!, process.argv[3]!], shutdown: 300 })
const said = new Promise<string>((resolve) => {
  Object.assign(server, { onmessage: ({ params }: any) => resolve(` ${params.pid}`) })
})
await server.start()
const more = process.argv[3] !== "good" ? await said : ""
process.stdout.write(`${server.processId}${more}\n`)
