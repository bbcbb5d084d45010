/**
 * `npm run build`: every package's JavaScript and types into its `dist`, in order and cached by turbo. Only publishing
 * needs it: inside the repository Node runs the sources as they are.
 */
import { run } from "./childProcess.ts"

const { trouble } = await run("turbo", ["run", "build"], { show: true })
if (trouble !== undefined) process.exitCode = 1
