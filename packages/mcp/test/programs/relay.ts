/** A child that carries bytes between its pipes and a port of its parent. */
import { connect } from "node:net"

const socket = connect(Number(process.argv[2]), "127.0.0.1")
process.stdin.pipe(socket)
socket.pipe(process.stdout)
socket.on("error", () => process.exit(0))
