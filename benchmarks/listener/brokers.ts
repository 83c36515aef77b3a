/** The brokers of `listener`, each started as a user of it would, in a process and a folder of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { has, prepared } from '../../test/interop/process.js'
import { Skipped } from '../../test/support/suite-command.js'
import { SubjectUnavailable } from '../harness/benchmark.js'
import { isInstallingAllowed } from '../harness/peers.js'
import type { RunningBroker } from './settings.js'

const START_LIMIT_MS = 60_000
const here = (path: string): string => fileURLToPath(new URL(`../listener/${path}`, import.meta.url))
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** Starts a broker that keeps what it has in `folder`. */
export type StartBroker = (folder: string) => Promise<RunningBroker>

/** An Ottla with this storage. @throws SubjectUnavailable when the package was not built. */
export const ottlaBroker = (storage: 'memory' | 'level' | 'file'): StartBroker => {
  if (!existsSync(cli)) throw new SubjectUnavailable('dist is missing: npm run build makes it')
  return async (folder) => {
    const port = await freePort()
    const where = storage === 'memory' ? ['--memory'] : ['--data', join(folder, 'data'), '--storage', storage]
    return started(
      process.execPath,
      [cli, 'serve', '--quiet', ...where, '--listen', `127.0.0.1:${port}`],
      port,
    )
  }
}

/** Apache Kafka with one broker that is its controller too. @throws SubjectUnavailable where it cannot run. */
export const apacheKafka = (): StartBroker => {
  if (!has('java', '-version')) throw new SubjectUnavailable('java (a JDK from 17 on) is not on this machine')
  const jars = fetched('kafka-server-4.3.0', (target) => [
    {
      file: 'mvn',
      args: [
        ...['-q', '-B', '-f', here('kafka/pom.xml'), 'dependency:copy-dependencies'],
        `-DoutputDirectory=${target}`,
      ],
    },
  ])
  const java = ['-Xmx1g', '-cp', join(jars, '*')]
  return async (folder) => {
    const [port, controllerPort] = [await freePort(), await freePort()]
    const properties = join(folder, 'server.properties')
    await writeFile(
      properties,
      [
        'process.roles=broker,controller',
        'node.id=1',
        `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
        `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
        `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
        'controller.listener.names=CONTROLLER',
        'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
        `log.dirs=${join(folder, 'data')}`,
        'offsets.topic.replication.factor=1',
        'transaction.state.log.replication.factor=1',
        'transaction.state.log.min.isr=1',
        'group.initial.rebalance.delay.ms=0',
      ].join('\n'),
    )
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', properties]
    const formatted = spawnSync('java', [...java, ...format], { encoding: 'utf8' })
    if (formatted.status !== 0) throw new Error(`kafka-storage failed: ${formatted.stderr}`)
    return started('java', [...java, 'kafka.Kafka', properties], port)
  }
}

/** kfake, the broker in memory that franz-go is tested with. @throws SubjectUnavailable where it cannot run. */
export const kfake = (): StartBroker => {
  if (!has('go', 'version')) throw new SubjectUnavailable('go is not on this machine')
  const built = fetched('kfake-1', (target) => [
    { file: 'go', args: ['build', '-C', here('kfake'), '-o', `${target}/kfake`, '.'] },
  ])
  return async () => {
    const port = await freePort()
    return started(join(built, 'kfake'), [String(port)], port)
  }
}

/** The folder of the cache with what was fetched. @throws SubjectUnavailable where that is not possible. */
const fetched = (...[name, prepare]: Parameters<typeof prepared>): string => {
  try {
    return prepared(name, (target) => {
      if (!isInstallingAllowed()) throw new Skipped(`${name} has not been fetched yet`)
      return prepare(target)
    })
  } catch (error) {
    throw error instanceof Skipped ? new SubjectUnavailable(error.message) : error
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const started = async (file: string, args: readonly string[], port: number): Promise<RunningBroker> => {
  const start = performance.now()
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2000)))
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}: ${errors}`)
    if (performance.now() - start > START_LIMIT_MS) {
      await stop(child)
      throw new Error(`${file} did not answer within ${START_LIMIT_MS / 1000} seconds: ${errors}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const startMs = performance.now() - start
  return {
    host: '127.0.0.1',
    port,
    startMs,
    rssMb: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1000,
    stop: () => stop(child),
  }
}

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill()
  await exited
}

/** ApiVersions in version 0, correlation id 7, no client id: the first that every client asks. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255])

/** Whether the broker on this port answers a request. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(API_VERSIONS))
    const end = (isAnswer: boolean): void => {
      socket.destroy()
      resolve(isAnswer)
    }
    socket.setTimeout(2000, () => end(false))
    socket
      .on('error', () => end(false))
      .on('close', () => end(false))
      .once('data', () => end(true))
  })
