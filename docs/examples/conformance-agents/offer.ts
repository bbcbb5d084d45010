/**
 * Prompts and resources beside the agents.
 */
import { Content, Mcp } from "coppice"
import * as Effect from "effect/Effect"
import { pixel } from "./content.ts"

const user = (content: Content.Block) => ({ role: "user" as const, content })

const required = (name: string, description: string) => ({ name, description, required: true })

const prompts = [
  Mcp.prompt({
    name: "test_simple_prompt",
    description: "A prompt without arguments",
    get: () => Effect.succeed({ messages: [user(Content.text("This is a simple prompt for testing."))] })
  }),
  Mcp.prompt({
    name: "test_prompt_with_arguments",
    description: "A prompt with two arguments",
    arguments: [required("arg1", "First test argument"), required("arg2", "Second test argument")],
    get: ({ arg1, arg2 }) =>
      Effect.succeed({ messages: [user(Content.text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))] }),
    complete: (_argument, typed) =>
      Effect.succeed(["paris", "park", "party"].filter((value) => value.startsWith(typed)))
  }),
  Mcp.prompt({
    name: "test_prompt_with_embedded_resource",
    description: "A prompt that contains a resource",
    arguments: [required("resourceUri", "URI of the resource to embed")],
    get: ({ resourceUri = "" }) =>
      Effect.succeed({
        messages: [
          user(Content.resource({
            uri: resourceUri,
            mimeType: "text/plain",
            text: "Embedded resource content for testing."
          })),
          user(Content.text("Please process the embedded resource above."))
        ]
      })
  }),
  Mcp.prompt({
    name: "test_prompt_with_image",
    description: "A prompt that contains an image",
    get: () =>
      Effect.succeed({
        messages: [user(Content.image(pixel, "image/png")), user(Content.text("Please analyze the image above."))]
      })
  }),
  Mcp.prompt({
    name: "test_input_required_result_prompt",
    description: "A prompt an agent writes, which asks first",
    get: "conformance_prompt"
  })
]

const text = (uri: string, text: string, mimeType = "text/plain") => [{ uri, mimeType, text }]

const resources = [
  Mcp.resource({
    uri: "test://static-text",
    name: "static-text",
    description: "Text",
    mimeType: "text/plain",
    read: Effect.succeed(text("test://static-text", "This is the content of the static text resource."))
  }),
  Mcp.resource({
    uri: "test://static-binary",
    name: "static-binary",
    description: "An image",
    mimeType: "image/png",
    read: Effect.succeed([{ uri: "test://static-binary", mimeType: "image/png", blob: pixel }])
  }),
  Mcp.resource({
    uri: "test://watched-resource",
    name: "watched-resource",
    description: "Text somebody may subscribe to",
    mimeType: "text/plain",
    read: Effect.succeed(text("test://watched-resource", "Watched resource content"))
  })
]

const templates = [
  Mcp.template({
    uriTemplate: "test://template/{id}/data",
    name: "template",
    description: "Data by id",
    mimeType: "application/json",
    read: (uri, { id }) =>
      Effect.succeed(text(
        uri,
        JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        "application/json"
      ))
  })
]

export const offer: Mcp.Offer = { name: "conformance-agents", prompts, resources, templates }
