/** Strongly connected components and reachability; both iterative, so that depth is bounded by memory alone. */

export type Edges = (node: string) => ReadonlyArray<string>

/** Tarjan's algorithm. Components of one node appear only if the node points at itself. */
export const cyclesOf = (nodes: Iterable<string>, edges: Edges): ReadonlyArray<ReadonlyArray<string>> => {
  const state = { index: new Map<string, number>(), low: new Map<string, number>(), stack: [] as Array<string> }
  const components: Array<ReadonlyArray<string>> = []
  for (const node of nodes) if (!state.index.has(node)) visit(node, edges, state, components)
  return components.filter((component) => component.length > 1 || edges(component[0]!).includes(component[0]!))
}

export const reachable = (start: string, edges: Edges): ReadonlySet<string> => {
  const seen = new Set<string>([start])
  const queue = [start]
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const next of edges(node)) {
      if (seen.has(next)) continue
      seen.add(next)
      queue.push(next)
    }
  }
  return seen
}

/** The order in which ES modules finish when `entry` is imported first: depth first, imports in their order. */
export const evaluationOrder = (entry: string, edges: Edges): ReadonlyArray<string> => {
  const seen = new Set([entry])
  const order: Array<string> = []
  const stack = [{ node: entry, rest: [...edges(entry)] }]
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const next = frame.rest.shift()
    if (next === undefined) {
      order.push(frame.node)
      stack.pop()
    } else if (!seen.has(next)) {
      seen.add(next)
      stack.push({ node: next, rest: [...edges(next)] })
    }
  }
  return order
}

interface TarjanState {
  readonly index: Map<string, number>
  readonly low: Map<string, number>
  readonly stack: Array<string>
}

const visit = (root: string, edges: Edges, state: TarjanState, components: Array<ReadonlyArray<string>>): void => {
  const onStack = new Set(state.stack)
  const open = (node: string) => {
    state.index.set(node, state.index.size)
    state.low.set(node, state.index.get(node)!)
    state.stack.push(node)
    onStack.add(node)
    return { node, rest: [...edges(node)] }
  }
  const lower = (node: string, value: number) => state.low.set(node, Math.min(state.low.get(node)!, value))
  const frames = [open(root)]
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const next = frame.rest.shift()
    if (next !== undefined) {
      if (!state.index.has(next)) frames.push(open(next))
      else if (onStack.has(next)) lower(frame.node, state.index.get(next)!)
      continue
    }
    frames.pop()
    const parent = frames.at(-1)
    if (parent) lower(parent.node, state.low.get(frame.node)!)
    if (state.low.get(frame.node) !== state.index.get(frame.node)) continue
    const component = state.stack.splice(state.stack.indexOf(frame.node))
    for (const node of component) onStack.delete(node)
    components.push(component.sort())
  }
}
