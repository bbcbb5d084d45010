/**
 * The graph as a picture. Every node is a link; the one that has the focus, or the pointer, shows whom it calls and who calls
 * it.
 */
import { useState } from "react"
import { useLocation } from "wouter"
import { Icon } from "../../ui/Icon.tsx"
import { inWords, partsOf, short, toneOf } from "./Counts.ts"
import { type Graph, outside } from "./Graph.ts"
import { layoutOf, type PlacedEdge, type PlacedNode, type PlacedServer, size } from "./Layout.ts"

const mostLetters = 20

const clipped = (name: string): string => name.length <= mostLetters ? name : `${name.slice(0, mostLetters - 1)}…`

const nameOf = (id: string): string => id === outside ? "Runs" : id

const Parts = (
  { counts, x, y }: { readonly counts: Readonly<Record<string, number>>; readonly x: number; readonly y: number }
) => {
  let at = x
  return partsOf(counts).map(({ count, icon, status, tone }) => {
    const left = at
    at += size.part + 4 + short(count).length * 7.2 + 8
    return (
      <g key={status} className={`tone-text-${tone}`} transform={`translate(${left} ${y - 7})`}>
        <Icon name={icon} size={size.part} />
        <text x={size.part + 3} y={11} className="topology-count">{short(count)}</text>
      </g>
    )
  })
}

const Arrow = ({ isDim, placed: { edge, path } }: { readonly placed: PlacedEdge; readonly isDim: boolean }) => (
  <g className={`topology-edge topology-${toneOf(edge.counts)} ${isDim ? "topology-dim" : ""}`}>
    <title>{`${nameOf(edge.from)} calls ${edge.to}: ${inWords(edge.counts)}`}</title>
    <path d={path} className="topology-line" markerEnd="url(#arrow)" />
    {(edge.counts["working"] ?? 0) > 0 ? <path d={path} className="topology-flow" /> : null}
  </g>
)

const ArrowLabel = ({ isDim, placed: { edge, label } }: { readonly placed: PlacedEdge; readonly isDim: boolean }) => (
  <g className={isDim ? "topology-dim" : undefined} aria-hidden="true">
    <rect
      className="topology-label"
      x={label.x - label.width / 2}
      y={label.y - 11}
      width={label.width}
      height={22}
      rx={11}
    />
    <Parts counts={edge.counts} x={label.x - label.width / 2 + 8} y={label.y} />
  </g>
)

const Server = ({ height, name, width, x, y }: PlacedServer) => (
  <g>
    <title>{`Server ${name}`}</title>
    <rect className="topology-server" x={x} y={y} width={width} height={height} rx={10} />
    <text className="topology-server-name" x={x + 12} y={y + 17}>{clipped(name)}</text>
  </g>
)

const Shape = ({ description, isDim, onActive, placed: { height, node, width, x, y } }: {
  readonly placed: PlacedNode
  readonly description: string
  readonly isDim: boolean
  readonly onActive: (id: string | undefined) => void
}) => {
  const [, navigate] = useLocation()
  const { counts, id } = node
  const href = id === outside ? "/" : `/agents/${encodeURIComponent(id)}`
  const leave = () => onActive(undefined)
  const enter = () => onActive(id)
  return (
    <a
      href={href}
      className={`topology-node topology-${toneOf(counts)} ${isDim ? "topology-dim" : ""}`}
      onFocus={enter}
      onBlur={leave}
      onPointerEnter={enter}
      onPointerLeave={leave}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return
        event.preventDefault()
        navigate(href)
      }}
    >
      <title>{description}</title>
      {/* the title says all of it */}
      <g aria-hidden="true">
        <rect className="topology-card" x={x} y={y} width={width} height={height} rx={8} />
        <rect className="topology-mark" x={x} y={y + 8} width={4} height={height - 16} rx={2} />
        <text className="topology-name" x={x + 16} y={y + (id === outside ? 31 : 22)}>{clipped(nameOf(id))}</text>
        {id === outside ? null : <Parts counts={counts} x={x + 15} y={y + 37} />}
      </g>
    </a>
  )
}

const describe = (id: string, { edges, nodes }: Graph): string => {
  const names = (ids: ReadonlyArray<string>) => ids.length === 0 ? "nobody" : ids.map(nameOf).join(", ")
  const calls = names(edges.flatMap(({ from, to }) => from === id ? [to] : []))
  if (id === outside) return `Runs, which begin with ${calls}`
  const callers = names(edges.flatMap(({ from, to }) => to === id ? [from] : []))
  const node = nodes.find((one) => one.id === id)
  const where = node?.server == null ? "" : ` on the server ${node.server}`
  return `${id}${where}: ${inWords(node?.counts ?? {})}. Called by ${callers}; calls ${calls}`
}

export const GraphView = ({ graph }: { readonly graph: Graph }) => {
  const [active, setActive] = useState<string>()
  const { edges, height, nodes, servers, width } = layoutOf(graph)
  const touches = ({ edge }: PlacedEdge) => active === undefined || edge.from === active || edge.to === active
  const near = new Set(edges.filter(touches).flatMap(({ edge }) => [edge.from, edge.to]))
  return (
    <div className="topology card">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label="Who calls whom">
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0.5L7 4L0 7.5z" className="topology-head" />
          </marker>
        </defs>
        {servers.map((server) => <Server key={server.name} {...server} />)}
        {edges.map((placed) => (
          <Arrow key={`${placed.edge.from}>${placed.edge.to}`} placed={placed} isDim={!touches(placed)} />
        ))}
        {nodes.map((placed) => (
          <Shape
            key={placed.node.id}
            placed={placed}
            description={describe(placed.node.id, graph)}
            isDim={active !== undefined && !near.has(placed.node.id) && placed.node.id !== active}
            onActive={setActive}
          />
        ))}
        {edges.map((placed) => (
          <ArrowLabel key={`${placed.edge.from}>${placed.edge.to}`} placed={placed} isDim={!touches(placed)} />
        ))}
      </svg>
    </div>
  )
}
