/**
 * The server of 2026-07-28 on standard input and output.
 */
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import { makeServer, ModernTasks } from "../support/ModernServer.ts"

const tasks = new ModernTasks()
serveStdio(() => makeServer(tasks))
