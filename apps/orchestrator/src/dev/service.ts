/** The service of `coppice dev`: the process that may be killed. */
import { launch } from "../Launcher.ts"
import { dev, usage } from "./DevLauncher.ts"

// nobody would start it again
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"))
// what has nothing else to do, such as printing its help, ends
process.channel?.unref()

await launch({ usage, run: dev }, process.argv.slice(2))
