/**
 * Writes a migrated package to a folder.
 *
 * Each file appears whole or not at all: it is written beside its place and renamed. A file that is there already with
 * the same bytes is left alone, so writing twice, or going on after a crash, does no harm.
 */
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join, relative, resolve, sep } from "node:path"
import type { OutputFile, OutputTree } from "./Integrate.ts"

export interface Written {
  readonly written: number
  readonly unchanged: number
}

export const writeOutput = async (dir: string, tree: OutputTree, signal?: AbortSignal): Promise<Written> => {
  const root = resolve(dir)
  if (!isOutside(tree.from, root) || !isOutside(root, tree.from)) {
    throw new Error(`${dir} overlaps the original: choose another folder`)
  }
  let written = 0
  for (const file of tree.files) {
    signal?.throwIfAborted()
    if (await writeFileOnce(root, tree, file)) written++
  }
  return { written, unchanged: tree.files.length - written }
}

const writeFileOnce = async (root: string, tree: OutputTree, file: OutputFile): Promise<boolean> => {
  const target = join(root, file.path)
  if (isOutside(root, target)) throw new Error(`${file.path} leads out of the output folder`)
  const bytes = file.text === null ? await readFile(join(tree.from, file.path)) : Buffer.from(file.text)
  const present = await readFile(target).catch(() => null)
  if (present?.equals(bytes)) return false
  await mkdir(dirname(target), { recursive: true })
  // always the same name: what a kill left behind is written over and renamed by the next attempt
  const temporary = `${target}.part`
  try {
    await writeFile(temporary, bytes, { flush: true })
    if (file.executable) await chmod(temporary, 0o755)
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
  return true
}

const isOutside = (folder: string, path: string): boolean => {
  const way = relative(folder, path)
  return way === ".." || way.startsWith(`..${sep}`) || resolve(folder, way) !== resolve(path) || /^[a-z]:/i.test(way)
}
