import { run } from "./Launcher.ts"

await run(process.argv.slice(2))
