/**
 * Lines in and out of a pipe.
 */
import { once } from "node:events"
import type { Readable, Writable } from "node:stream"

/** Characters one line may have. */
const mostOfLine = 4 * 1024 * 1024

/** The lines that come in, without the empty ones; undefined stands for one that is too long. */
export const read = async function*(input: Readable): AsyncGenerator<string | undefined> {
  let rest = ""
  let isTooLong = false
  input.setEncoding("utf8")
  for await (const chunk of input) {
    const lines = (rest + String(chunk)).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      if (isTooLong || line.length > mostOfLine) yield undefined
      else if (line.trim() !== "") yield line
      isTooLong = false
    }
    if (rest.length > mostOfLine) {
      isTooLong = true
      rest = ""
    }
  }
  if (!isTooLong && rest.trim() !== "") yield rest
}

/** Writes one message, whole; whoever reads slowly slows down what is read for it. */
export const write = async (output: Writable, text: string): Promise<void> => {
  // a message is one line, whatever its source looked like
  const line = text.includes("\n") ? JSON.stringify(JSON.parse(text)) : text
  if (!output.write(`${line}\n`)) await once(output, "drain")
}
