/**
 * The showcase of the documentation, from the console alone.
 */
import { assert } from "vitest"
import { accept, question, tasks } from "../support/Screen.ts"
import { showcase } from "../support/Service.ts"
import { chapter, test as story } from "../support/Story.ts"

const test = story.override("config", { scope: "file" }, showcase)

chapter("the showcase", () => {
  test("started in the dialog, watched, loaded again in the middle, answered, and finished", async ({ come, service }) => {
    const { page, troubles } = await come()
    await page.getByRole("button", { name: "Start a run" }).first().click()
    const dialog = page.getByRole("dialog", { name: "Start a run" })
    await dialog.getByLabel("Agent").selectOption("migrate")
    await dialog.getByLabel("checks").fill("200")
    await dialog.getByRole("button", { name: "Start" }).click()

    await page.waitForURL(/\/runs\/[0-9a-z]{20}$/)
    await tasks(page).filter({ hasText: "migrate-file" }).first().waitFor()
    await page.reload()
    // some fifty files stand between it and what is on screen
    await page.getByRole("searchbox", { name: "Find a task" }).fill("integrate")
    await tasks(page).filter({ hasText: "integrate" }).click()
    await question(page).getByText(/^Write \//).waitFor()
    await page.reload()
    await accept(page, "Write the migrated files?")

    // opened down to the question, the tree has its root above what is on screen
    await page.getByRole("searchbox", { name: "Find a task" }).fill("integrate")
    await page.getByRole("treeitem", { name: /^Completed migrate(?!-)/ }).waitFor()
    const id = /runs\/(\w+)/.exec(page.url())![1]!
    const { completed } = await service.ask("GET", `/tasks/${id}/result`)
    assert.deepStrictEqual([completed.output.approved, completed.output.failures], [true, []])
    assert.deepStrictEqual(troubles, [])
  })
})
