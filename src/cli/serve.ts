/** `ottla serve`: a broker with listeners, from the opening of its log to its end. */
import { Ottla, type Listener, type TlsOptions } from 'ottla'
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Log } from './log.js'
import { recover } from './recover.js'
import { readSasl, setScramUsers, type Sasl } from './sasl.js'
import type { ListenerSettings, ServeSettings } from './settings.js'
import { Stop } from './stop.js'
import { readTls } from './tls.js'
import { watchBroker, watchListener } from './watch.js'
import type { World } from './world.js'

/**
 * Serves until a signal asks to stop.
 * @throws OttlaError of `Ottla.open`, `createTopic` and `listen`; INVALID_ARGUMENT for files that TLS and SASL need;
 * STORAGE_FAILED when the log could take no more.
 */
export const serve = async (settings: ServeSettings, log: Log, world: World): Promise<void> => {
  const tls = settings.tls === undefined ? undefined : await readTls(settings.tls, world.files)
  const sasl = settings.sasl === undefined ? undefined : await readSasl(settings.sasl, world.files)
  const stop = new Stop()
  stop.watchSignals(world, log)
  log.info('opening', describeLog(settings), { data: settings.data })
  const ottla = await openLog(settings)
  try {
    ottla.events.on('storageFailed', (error) => stop.fail(error))
    watchBroker(ottla, log)
    await start(ottla, settings, { tls, sasl, stop, log, world })
    await stop.requested()
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    await ottla.close()
  }
  if (stop.failure !== undefined) throw stop.failure
  log.info('stopped', 'stopped')
}

interface StartParts {
  readonly tls: TlsOptions | undefined
  readonly sasl: Sasl | undefined
  readonly stop: Stop
  readonly log: Log
  readonly world: World
}

/** Makes it ready, and says so. */
const start = async (
  ottla: Ottla,
  settings: ServeSettings,
  { tls, sasl, stop: { signal }, log, world }: StartParts,
): Promise<void> => {
  for (const { name, partitions } of settings.topics)
    await ottla.createTopic(name, { signal, ...(partitions === undefined ? {} : { partitions }) })
  if (settings.data !== undefined) await recover(ottla, log, world, signal)
  if (sasl !== undefined) await setScramUsers(ottla, sasl, signal)
  const listeners: { readonly protocol: string; readonly listener: Listener }[] = []
  for (const one of settings.listeners) {
    signal.throwIfAborted()
    const listener = await listen(ottla, one, settings, { tls, sasl })
    watchListener(listener, log)
    listeners.push({ protocol: `${one.isSasl ? 'SASL_' : ''}${one.isTls ? 'SSL' : 'PLAINTEXT'}`, listener })
  }
  log.ready(
    listeners.map(({ protocol, listener: { host, port } }) => `${protocol}://${inUrl(host)}:${port}`),
    {
      listeners: listeners.map(({ protocol, listener: { host, port, advertised } }) => ({
        protocol,
        host,
        port,
        advertised,
      })),
    },
  )
}

const openLog = async ({ data, storage, durability, configs }: ServeSettings): Promise<Ottla> => {
  if (data === undefined) return Ottla.open({ configs })
  if (storage === 'level') return Ottla.open({ location: data, durability, configs })
  const { fileStorage } = await import('ottla/storage/file')
  return Ottla.open({ storage: fileStorage(data), durability, configs })
}

const listen = async (
  ottla: Ottla,
  { given, host, port, isTls, isSasl, advertised }: ListenerSettings,
  { isInsecure, superUsers }: ServeSettings,
  { tls, sasl }: Pick<StartParts, 'tls' | 'sasl'>,
): Promise<Listener> => {
  try {
    return await ottla.listen({
      host,
      port,
      insecure: isInsecure,
      ...(advertised === undefined ? {} : { advertised }),
      ...(isTls && tls !== undefined ? { tls } : {}),
      ...(isSasl && sasl !== undefined ? { sasl: sasl.options } : {}),
      ...(superUsers === undefined ? {} : { authorizer: { superUsers } }),
    })
  } catch (cause) {
    const isKnown = isSasl || tls?.requireClientCertificate === true
    if ((isTls && isKnown) || isInsecure || !OttlaError.is(cause, 'INVALID_ARGUMENT')) throw cause
    throw new OttlaError(
      'INVALID_ARGUMENT',
      `--listen ${given} may be reached by other machines, ${
        isTls
          ? 'and anybody may connect: whoever reaches it reads and writes all there is. Give --sasl, or --tls-ca and --require-client-certificate'
          : 'and it is without TLS: whoever reaches it reads and writes all there is. Give --tls-cert and --tls-key, and --sasl'
      }, or --insecure if that is meant.`,
      { cause },
    )
  }
}

const describeLog = ({ data, storage }: ServeSettings): string =>
  data === undefined
    ? 'a log in memory: it is gone at the end (--data DIR keeps it)'
    : `opening ${data} (${storage} storage)`

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)
