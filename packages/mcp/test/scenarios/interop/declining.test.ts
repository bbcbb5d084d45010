/**
 * The official clients as hosts that decline by themselves, that answer, and that cannot ask: a question nobody has read
 * stays in the inbox, and another door answers it.
 */
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { assert, describe, it, onTestFinished } from "vitest"
import { Service } from "./support/Service.ts"

const shared = Service.shared()

type Answer = { readonly action: "accept" | "decline" | "cancel"; readonly content?: Record<string, boolean> }

const yes: Answer = { action: "accept", content: { confirm: true } }

/** A host: how often it was asked, and the way to call. */
interface Host {
  readonly asked: () => number
  readonly call: (filename: string) => Promise<unknown>
}

const v1 = async (service: Service, answer: Answer | undefined): Promise<Host> => {
  let asked = 0
  const client = new Client({ name: "v1", version: "1" }, {
    capabilities: answer === undefined ? {} : { elicitation: { form: {} } }
  })
  if (answer !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, async () => {
      asked++
      return answer
    })
  }
  await client.connect(new StreamableHTTPClientTransport(service.mcp, { requestInit: { headers: service.headers } }))
  onTestFinished(() => client.close())
  return {
    asked: () => asked,
    call: (filename) => client.callTool({ name: "confirm_delete", arguments: { filename } })
  }
}

/** The newest official client, which is asked in rounds. */
const v2 = async (service: Service, answer: Answer | undefined): Promise<Host> => {
  let asked = 0
  const client = new ClientV2({ name: "v2", version: "1" }, {
    capabilities: answer === undefined ? {} : { elicitation: { form: {} } },
    versionNegotiation: { mode: { pin: "2026-07-28" } }
  })
  if (answer !== undefined) {
    client.setRequestHandler("elicitation/create", async () => {
      asked++
      return answer
    })
  }
  await client.connect(new HttpV2(service.mcp, { requestInit: { headers: service.headers } }))
  onTestFinished(() => client.close())
  return {
    asked: () => asked,
    call: (filename) => client.callTool({ name: "confirm_delete", arguments: { filename } })
  }
}

const textOf = (result: unknown): string =>
  (result as { readonly content: ReadonlyArray<{ readonly text: string }> }).content[0]!.text

interface Offer {
  readonly door: string
  readonly how: string
  readonly detail?: string
}

interface Question {
  readonly task: string
  readonly request: { readonly key: string; readonly message: string }
  readonly standing: { readonly offers: ReadonlyArray<Offer> }
}

/** The question about this file, as soon as doors have said so much of it. */
const question = async (service: Service, filename: string, offers: number): Promise<Question> => {
  while (true) {
    const { questions } = await service.api<{ readonly questions: ReadonlyArray<Question> }>("inbox")
    const found = questions.find(({ request }) => request.message === `Delete ${filename}?`)
    if (found !== undefined && found.standing.offers.length >= offers) return found
  }
}

const answer = (service: Service, { request: { key }, task }: Question) =>
  service.api(`tasks/${task}/answer`, { key, ...yes })

describe.each([["1.x", v1, 1], ["2.x", v2, 2]] as const)("the official client %s as a host", (name, connect, times) => {
  it.each(["decline", "cancel"] as const)("that answers %s by itself: the inbox has it still", async (action) => {
    const service = await shared()
    const filename = `${name} ${action}.txt`
    const host = await connect(service, { action })
    const call = host.call(filename)
    const found = await question(service, filename, 1)
    assert.deepStrictEqual(found.standing.offers.map(({ door, how }) => [door, how]), [["mcp:local", "undelivered"]])
    assert.match(found.standing.offers[0]!.detail!, /^the host answered "(decline|cancel)" (again )?after \d+ ms/)
    await answer(service, found)
    assert.strictEqual(textOf(await call), `Deleted ${filename}`)
    assert.isAtMost(host.asked(), times)
  })

  it("that answers for its user", async () => {
    const service = await shared()
    const host = await connect(service, yes)
    assert.strictEqual(textOf(await host.call(`${name} yes.txt`)), `Deleted ${name} yes.txt`)
    assert.strictEqual(host.asked(), 1)
  })

  it("that cannot ask: the inbox has it", async () => {
    const service = await shared()
    const filename = `${name} mute.txt`
    const host = await connect(service, undefined)
    const call = host.call(filename)
    await answer(service, await question(service, filename, 1))
    assert.strictEqual(textOf(await call), `Deleted ${filename}`)
  })
})
