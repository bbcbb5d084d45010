/**
 * The console's own pictures, drawn with strokes in the colour of the text beside them.
 */
const paths = {
  check: "M3.5 8.5l3 3 6-7",
  cross: "M4.5 4.5l7 7m0-7l-7 7",
  bang: "M8 4v5M8 11.6v.1",
  question: "M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3M8 11.7v.1",
  ring: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  stop: "M5 5h6v6H5z",
  pause: "M5.5 4v8m5-8v8",
  play: "M5.5 3.8v8.4L12 8z",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  plus: "M8 3.5v9M3.5 8h9",
  right: "M6 4l4 4-4 4",
  search: "M7 11.5a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9zm3.3-1.2L13.5 13.5",
  sun:
    "M8 5.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8 1.5v1.6m0 9.8v1.6M1.5 8h1.6m9.8 0h1.6M3.4 3.4l1.1 1.1m7 7l1.1 1.1m0-9.2l-1.1 1.1m-7 7l-1.1 1.1",
  moon: "M13 9.4A5.5 5.5 0 1 1 6.6 3a4.5 4.5 0 0 0 6.4 6.4z",
  auto: "M8 2.5a5.5 5.5 0 1 1 0 11zM8 2.5a5.5 5.5 0 1 0 0 11",
  exit: "M9.5 3H3.5v10h6M7 8h7m-2.5-2.5L14 8l-2.5 2.5",
  clock: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 5v3l2 1.5",
  retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5V5h-2.5",
  fork: "M5 3v10M5 9c4 0 6-1 6-5m-8 0l2-2 2 2m2 0l2-2 2 2",
  tree: "M4 3v8h4M4 6h4M10 4.5h3v3h-3zM10 9.5h3v3h-3z",
  chat: "M2.5 3.5h11v7.5H8l-3 2.5V11H2.5z"
} as const

export type IconName = keyof typeof paths

/** Decoration: whatever it says is said in words beside it. */
export const Icon = ({ name, size = 14, spin = false }: {
  readonly name: IconName
  readonly size?: number
  readonly spin?: boolean
}) => (
  <svg
    width={size}
    height={size}
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    strokeWidth={1.6}
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
    className={spin ? "spin" : undefined}
  >
    <path d={paths[name]} />
  </svg>
)
