/** Has a server listen: at an address, or at a Unix socket, whose file may have been left behind by a process that died. */
import { chmod, stat, unlink } from 'node:fs/promises'
import { connect, type ListenOptions, type Server } from 'node:net'
import type { ListenAt } from '../sockets.js'

/** Resolves when `server` listens. */
export const bind = async (server: Server, { host, port, path, pathMode }: ListenAt): Promise<void> => {
  if (path === undefined) {
    await listen(server, { host, port })
    return
  }
  try {
    await listen(server, { path })
  } catch (error) {
    if (!(await isLeftBehind(path))) throw error
    await unlink(path)
    await listen(server, { path })
  }
  if (pathMode === undefined || isNamedPipe(path)) return
  try {
    await chmod(path, pathMode)
  } catch (error) {
    server.close()
    throw error
  }
}

const listen = (server: Server, at: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.off('error', reject)
      resolve()
    })
  })

/** Windows has these in place of Unix sockets: no files, and gone with their process. */
const isNamedPipe = (path: string): boolean => path.startsWith('\\\\')

/** Whether at `path` there is a socket, and nobody who listens: closing would have removed it. */
const isLeftBehind = async (path: string): Promise<boolean> => {
  const isSocket = await stat(path).then(
    (stats) => stats.isSocket(),
    () => false,
  )
  if (!isSocket) return false
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
