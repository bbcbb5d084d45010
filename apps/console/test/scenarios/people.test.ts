/**
 * People at the console: one beside the command line, two who answer at once, one who stops everything, one without a
 * mouse.
 */
import { assert } from "vitest"
import { accept, detail, live, pressUntil, question, status, tasks } from "../support/Screen.ts"
import { chapter, test } from "../support/Story.ts"

chapter("people at the console", () => {
  test("an answer given in the browser ends the run, and the terminal's copy is withdrawn", async ({ come, service }) => {
    const terminal = service.terminal("run", "approve", "--input", JSON.stringify({ text: "Ship it?" }))
    await terminal.shows("approve asks")
    const { page, troubles } = await come()
    await page.getByRole("table", { name: "Runs" }).getByRole("link", { name: "approve" }).click()
    await accept(page, "ok")
    await terminal.shows("console answered first (accept)")
    assert.strictEqual(await terminal.ended, 0)
    await status(page, "Completed").waitFor()
    assert.deepStrictEqual(troubles, [])
  })

  test("47: of two who answer at once the first one counts, and the second is told", async ({ come, service }) => {
    const { id } = await service.submit("approve", { text: "Who is faster?" })
    const [ann, bob] = [await come(`/runs/${id}`), await come(`/runs/${id}`)]
    // Bob's page stands still, so that his form is there when Ann has answered already
    await question(bob.page).waitFor()
    await live(bob.page).click()
    await accept(ann.page, "ok")
    await status(ann.page, "Completed").waitFor()
    await question(bob.page).getByRole("button", { name: "Decline" }).click()
    await bob.page.getByRole("alert").getByText("console answered first").waitFor()
    assert.strictEqual((await service.ask("GET", `/tasks/${id}`)).status, "completed")
    assert.deepStrictEqual([...ann.troubles, ...bob.troubles], [])
  })

  test("a cancellation shows its reach before, and how everything came to rest afterwards", async ({ come, service }) => {
    const { id } = await service.submit("release", { parts: 2, naps: 5, text: "Publish?" })
    const { page, troubles } = await come(`/runs/${id}`)
    await tasks(page).nth(8).waitFor()
    await detail(page).getByRole("button", { name: "Cancel", exact: true }).first().click()
    const dialog = page.getByRole("dialog")
    await dialog.getByText("tasks stop, 2 have ended and stay as they are.").waitFor()
    await dialog.getByText("5 nap").waitFor()
    await dialog.getByLabel("Why").fill("changed my mind")
    await dialog.getByText("Publish?").waitFor()
    await dialog.getByRole("button", { name: "Cancel 7 tasks" }).click()
    await dialog.getByRole("heading", { name: "How release came to rest" }).waitFor()
    await dialog.getByText("Everything has come to rest.").waitFor()
    const report = await service.ask("GET", `/tasks/${id}/cancel`)
    assert.isTrue(report.converged)
    assert.strictEqual(
      await dialog.getByRole("list", { name: "Tasks" }).getByRole("listitem").count(),
      report.nodes.length
    )
    await dialog.getByRole("list", { name: "Totals" }).getByText(`${report.totals.stopped} stopped`).waitFor()
    await dialog.getByRole("button", { name: "Close" }).last().click()
    await status(page, "Cancelled").waitFor()
    assert.deepStrictEqual(troubles, [])
  })

  test("without a mouse: start, find, answer, cancel", async ({ come }) => {
    const { page, troubles } = await come()
    await live(page, /\(Live\)/).waitFor()
    await page.keyboard.press("n")
    const dialog = page.getByRole("dialog", { name: "Start a run" })
    await pressUntil(page, "Tab", dialog.getByLabel("Agent"))
    await page.keyboard.type("release")
    for (const [label, text] of [["parts", "2"], ["naps", "0"], ["text", "By hand?"]] as const) {
      await pressUntil(page, "Tab", dialog.getByLabel(label))
      await page.keyboard.type(text)
    }
    await page.keyboard.press("Enter")

    await question(page).or(tasks(page).filter({ hasText: "By hand?" })).first().waitFor()
    await pressUntil(page, "Tab", tasks(page).first())
    await pressUntil(page, "ArrowDown", tasks(page).filter({ hasText: "By hand?" }))
    await page.keyboard.press("Enter")
    await pressUntil(page, "Tab", question(page).getByRole("checkbox", { name: "ok" }))
    await page.keyboard.press("Space")
    await pressUntil(page, "Tab", question(page).getByRole("button", { name: "Accept" }))
    await page.keyboard.press("Enter")
    await status(page, "Completed").waitFor()

    await page.getByRole("link", { name: "Runs", exact: true }).first().focus()
    await page.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Runs" }).waitFor()
    await page.keyboard.press("n")
    await pressUntil(page, "Tab", dialog.getByLabel("Agent"))
    await page.keyboard.type("nap")
    await pressUntil(page, "Tab", dialog.getByLabel("seconds"))
    await page.keyboard.type("600")
    await page.keyboard.press("Enter")
    await pressUntil(page, "Tab", detail(page).getByRole("button", { name: "Cancel", exact: true }))
    await page.keyboard.press("Enter")
    await pressUntil(page, "Tab", page.getByRole("button", { name: "Cancel 1 task" }))
    await page.keyboard.press("Enter")
    await page.getByText("Everything has come to rest.").waitFor()
    await page.keyboard.press("Escape")
    await status(page, "Cancelled").waitFor()
    assert.deepStrictEqual(troubles, [])
  })
})
