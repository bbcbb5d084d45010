/**
 * Builds the console into `dist/site`, says how large it is, and fails when it is too large.
 */
import { Buffer } from "node:buffer"
import { gzipSync } from "node:zlib"
import { defineConfig, type Plugin } from "vite"

/** Everything a browser loads, compressed, bytes. */
const budget = 150_000

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`

/** Prints the size of what a browser loads. */
const weight = (): Plugin => ({
  name: "weight",
  generateBundle: {
    order: "post",
    handler(_options, bundle) {
      const sizes = Object.values(bundle).map((file) => {
        const content = Buffer.from(file.type === "chunk" ? file.code : file.source)
        return { name: file.fileName, raw: content.length, gzip: gzipSync(content, { level: 9 }).length }
      })
      const total = sizes.reduce((sum, { gzip }) => sum + gzip, 0)
      for (const { gzip, name, raw } of sizes.toSorted((a, b) => b.gzip - a.gzip)) {
        console.log(`  ${kilobytes(gzip).padStart(9)} gz  ${kilobytes(raw).padStart(9)}  ${name}`)
      }
      console.log(`  ${kilobytes(total).padStart(9)} gz of ${kilobytes(budget)}`)
      if (total > budget) this.error(`the console has grown to ${kilobytes(total)} gz, at most ${kilobytes(budget)}`)
    }
  }
})

export default defineConfig({
  build: {
    outDir: "dist/site",
    emptyOutDir: true,
    target: "es2023",
    // a data: URL is not 'self', and the content security policy would refuse it
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      onLog(level, log, print) {
        // libraries mark their modules for servers we do not have
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") print(level, log)
      }
    }
  },
  plugins: [weight()]
})
