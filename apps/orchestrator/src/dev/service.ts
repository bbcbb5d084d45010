/** The service of `coppice dev`: the process that may be killed. */
import { launch } from "../Launcher.ts"
import { dev, usage } from "./DevLauncher.ts"

// nobody would start it again
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"))

await launch({ usage, run: dev }, process.argv.slice(2))
