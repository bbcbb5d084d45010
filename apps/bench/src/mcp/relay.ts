/**
 * The raw cost of a cancellation's messages: hands each request on to those below, and answers with as many bytes as a
 * report of its own has, and theirs. Prints its address.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { Pool } from "undici"

const [bytes = "0", ...below] = process.argv.slice(2)
const own = "x".repeat(Number(bytes))
const pools = below.map((url) => new Pool(new URL(url).origin, { connections: 1 }))

const http = createServer((request, response) => {
  const answer = async () => {
    const body = await text(request)
    const answers = await Promise.all(pools.map(async (pool) => {
      const { body: answer } = await pool.request({ path: "/", method: "POST", body })
      return answer.text()
    }))
    response.end(own + answers.join(""))
  }
  void answer()
})
http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}`))
