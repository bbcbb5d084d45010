/**
 * One parsed file: its text, its tree, and the way from a node to its parent.
 *
 * acorn reads, magic-string writes: both are small, without dependencies to build, and together they change only the
 * characters which must change, so a person reviewing the diff sees the migration and nothing else.
 */
import { type AnyNode, type Comment, getLineInfo, parse as parseProgram, type Program } from "acorn"
import type { Location } from "../Inventory.ts"

export type Node = AnyNode

export interface Source {
  readonly text: string
  readonly program: Program
  readonly comments: ReadonlyArray<Comment>
  /** Every node, parents before children. */
  readonly nodes: ReadonlyArray<Node>
  readonly parents: ReadonlyMap<Node, Node>
}

export type Parsed =
  | { readonly ok: true; readonly source: Source }
  | { readonly ok: false; readonly message: string; readonly location: Location }

export const parse = (text: string, sourceType: "commonjs" | "module"): Parsed => {
  const comments: Array<Comment> = []
  try {
    const program = parseProgram(text, { ecmaVersion: "latest", sourceType, ranges: true, onComment: comments })
    return { ok: true, source: { text, program, comments, ...connect(program) } }
  } catch (error) {
    return { ok: false, ...describe(error) }
  }
}

export const locate = (text: string, offset: number): Location => {
  const { line, column } = getLineInfo(text, offset)
  return { line, column: column + 1 }
}

export const parentOf = (source: Source, node: Node): Node | undefined => source.parents.get(node)

/** The statement of the program's body that holds the node. */
export const topStatement = (source: Source, node: Node): Node => {
  let current = node
  for (
    let parent = parentOf(source, current);
    parent && parent.type !== "Program";
    parent = parentOf(source, current)
  ) {
    current = parent
  }
  return current
}

export const contains = (outer: Node, inner: Node): boolean => outer.start <= inner.start && inner.end <= outer.end

export const textOf = (source: Source, node: Node): string => source.text.slice(node.start, node.end)

/** Iterative: generated files nest deeper than the stack. */
const connect = (program: Program): Pick<Source, "nodes" | "parents"> => {
  const nodes: Array<Node> = []
  const parents = new Map<Node, Node>()
  const stack: Array<Node> = [program]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    nodes.push(node)
    for (const child of childrenOf(node).reverse()) {
      parents.set(child, node)
      stack.push(child)
    }
  }
  return { nodes, parents }
}

const childrenOf = (node: Node): Array<Node> => {
  // A shorthand property has one identifier as key and as value; the value alone is a reference.
  const skipKey = node.type === "Property" && node.shorthand
  return Object.entries(node).flatMap(([key, value]) => skipKey && key === "key" ? [] : [value].flat().filter(isNode))
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

const describe = (error: unknown): { message: string; location: Location } => {
  if (error instanceof SyntaxError && "loc" in error) {
    const { line, column } = error.loc as Location
    return { message: error.message.replace(/ \(\d+:\d+\)$/, ""), location: { line, column: column + 1 } }
  }
  return { message: `cannot be parsed: ${String(error)}`, location: { line: 1, column: 1 } }
}
