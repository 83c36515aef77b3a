/** The process under attack: an Ottla in memory that listens, says where, and goes on until it is killed. */
import { Ottla } from 'ottla'

/** What a request may be as large as here, in bytes. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024

/** Says `ready PORT`, and listens. */
export const beBroker = async (): Promise<void> => {
  const ottla = await Ottla.open({
    configs: { 'group.min.session.timeout.ms': 1, 'log.retention.bytes': 16 * 1024 * 1024 },
  })
  await ottla.createTopic('t', { partitions: 4 })
  const { port } = await ottla.listen({
    maxConnections: 2000,
    socketRequestMaxBytes: MAX_REQUEST_BYTES,
    queuedMaxRequestBytes: 4 * MAX_REQUEST_BYTES,
  })
  process.stdout.write(`ready ${port}\n`)
}
