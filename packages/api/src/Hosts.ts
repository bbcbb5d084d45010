/**
 * How others are told of a service: MCP hosts by commands to copy, which read the token where it stands instead of showing
 * it, and a person's browser by a link.
 */

export interface Service {
  /** Address of its MCP endpoint. */
  readonly mcp: string
  /** The file with the token; undefined where hosts need none. */
  readonly tokenFile: string | undefined
  /** Its data folder, when `coppice` would not find it from the folder it is started in. */
  readonly data: string | undefined
}

const quoted = (text: string): string => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** The command for a host that connects over HTTP. */
export const overHttp = ({ mcp, tokenFile }: Service): string => {
  const header = tokenFile === undefined ? "" : ` --header "Authorization: Bearer $(cat ${quoted(tokenFile)})"`
  return `claude mcp add --transport http coppice ${mcp}${header}`
}

/** The command for a host that starts its servers itself. */
export const overPipe = ({ data }: Service): string =>
  `claude mcp add coppice -- npx coppice mcp${data === undefined ? "" : ` --data ${quoted(data)}`}`

/** The link that signs a browser in. What stands behind `#` is sent to nobody; the page takes it out of the address. */
export const console = (url: string, token: string): string => `${url}/#token=${encodeURIComponent(token)}`
