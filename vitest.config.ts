import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["docs/examples/*/test/**/*.test.ts", "{packages,apps}/*/test/**/*.test.{ts,tsx}", "test/**/*.test.ts"],
    // Separate processes: node:sqlite, signals and process-wide state of one file stay out of the next one.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 10_000,
    passWithNoTests: false
  }
})
