/**
 * What a service offers to MCP hosts beside its agents: `mcp: { prompts, resources, templates }` of `Orchestrator.make`.
 *
 * They are read, not run: reading one makes no task. A prompt that has to ask something first names an agent that writes
 * it.
 */
import type { Prompt, Resource, ResourceTemplate } from "@coppice/mcp/Offer"

export type {
  Complete,
  Offer,
  Prompt,
  PromptArgument,
  PromptMessage,
  PromptResult,
  Resource,
  ResourceTemplate
} from "@coppice/mcp/Offer"

/** A prompt hosts may show to their user. */
export const prompt = (prompt: Prompt): Prompt => prompt

/** A resource under a fixed address. */
export const resource = (resource: Resource): Resource => resource

/** Resources under addresses of one form. */
export const template = (template: ResourceTemplate): ResourceTemplate => template
