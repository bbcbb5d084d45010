/**
 * Hears of every change in some folders, not in those below them.
 *
 * A folder is watched, not its files: editors and formatters put another file in a file's place, often twice within a
 * moment, and a watch of the file, or one that waits for it to calm down, misses the second.
 */
import { type FSWatcher, watch } from "node:fs"
import { join } from "node:path"

export class Folders {
  private readonly heard: (path: string) => void
  private readonly watchers = new Map<string, FSWatcher>()

  constructor(heard: (path: string) => void) {
    this.heard = heard
  }

  /** Watches the folder from now on. */
  add(folder: string): void {
    if (this.watchers.has(folder)) return
    try {
      const watcher = watch(folder, (_event, name) => this.heard(name === null ? folder : join(folder, name)))
      // it is gone, or too many are watched
      watcher.on("error", () => this.remove(folder))
      this.watchers.set(folder, watcher)
    } catch {
      // it was gone before it was watched: whoever imports from it says so
    }
  }

  private remove(folder: string): void {
    this.watchers.get(folder)?.close()
    this.watchers.delete(folder)
  }

  close(): void {
    for (const folder of this.watchers.keys()) this.remove(folder)
  }
}
