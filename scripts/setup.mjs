/**
 * Makes a clone ready: pnpm installs from the lockfile, the pinned Node among the rest.
 *
 * Plain JavaScript on any Node ≥ 20, no dependencies, because it runs before anything is installed. A stamp in
 * node_modules remembers what was installed, so that a ready clone pays for a few reads and one hash. It never changes
 * the lockfile: after editing a manifest, run `npx pnpm install`.
 */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))
const bin = join(root, "node_modules", ".bin")
const node = join(bin, "node")
const stamp = join(root, "node_modules", ".coppice-setup")
const pins = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies

/** A workspace package is a folder with a manifest, directly below one of these, or `docs`. */
const manifests = () => {
  const below = ["packages", "apps"].filter((dir) => existsSync(join(root, dir))).flatMap((dir) =>
    readdirSync(join(root, dir)).sort().map((name) => join(dir, name))
  )
  return ["", "docs", ...below].map((dir) => join(dir, "package.json")).filter((file) => existsSync(join(root, file)))
}

const wanted = () => {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`)
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests()]) {
    hash.update(`\n${file}\n`).update(readFileSync(join(root, file)))
  }
  return hash.digest("hex")
}

const stampIsCurrent = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted()

/**
 * pnpm comes through npm, which every Node brings. It runs from outside the clone: inside, npm would prefer the copy
 * in node_modules, and an installation that broke half-way could then never mend itself.
 */
const install = () => {
  console.error(
    "coppice: installing what is missing, half a minute at most (once per clone and per change of the lockfile)"
  )
  // CI: never ask, an old node_modules is replaced and the lockfile is not. Release age: pnpm asks the registry about it
  // when the lockfile changes; what the lockfile holds by now was reviewed and is pinned by its hashes.
  const env = { ...process.env, CI: "true", pnpm_config_minimum_release_age: "0" }
  delete env.npm_config_local_prefix
  const pnpm = ["exec", "--yes", `--package=pnpm@${pins.pnpm}`, "--", "pnpm", `--dir=${root}`]
  const { error, status } = spawnSync("npm", [
    ...pnpm,
    "install",
    "--frozen-lockfile",
    "--reporter=append-only",
    "--loglevel=warn"
  ], {
    cwd: tmpdir(),
    env,
    shell: process.platform === "win32",
    stdio: ["ignore", 2, 2]
  })
  if (error !== undefined || status !== 0) {
    throw new Error(`the installation failed (${error?.message ?? `exit ${status}`}); the lines above say why`)
  }
}

/** The version of the pinned Node as it answers, or "none". */
const nodeVersion = () => spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim() ?? "none"

/**
 * Returns the path of the pinned Node, ready to run. An ignored build of the `node` package would leave the machine's
 * own Node in charge without a word, so its version is asked every time; pnpm calls such an installation up to date, and
 * only a new one mends it.
 */
export const setup = () => {
  const wantedVersion = `v${pins.node}`
  if (stampIsCurrent() && nodeVersion() === wantedVersion) return node
  install()
  if (nodeVersion() !== wantedVersion) {
    rmSync(join(root, "node_modules"), { recursive: true, force: true })
    install()
  }
  const version = nodeVersion()
  if (version !== wantedVersion) throw new Error(`the scripts need Node ${wantedVersion}, node_modules has ${version}`)
  writeFileSync(stamp, wanted())
  return node
}

/** Runs a program under the pinned Node, with the workspace's tools first on the path, and ends as it ends. */
export const become = (program, args, cwd) => {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`, TURBO_TELEMETRY_DISABLED: "1" }
  const child = spawn(setup(), [program, ...args], { cwd, env, stdio: "inherit" })
  // A terminal sends its Ctrl-C to the whole group; without one it reaches this process alone and is passed on.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"))
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)))
}
