/** An Apache Kafka of one node in a process of its own, in a folder that goes with it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WireClient } from '../support/wire-client.js'
import { apiVersions } from '../../src/protocol/api/api-versions.js'
import { findCoordinator } from '../../src/protocol/api/find-coordinator.js'
import { initProducerId } from '../../src/protocol/api/init-producer-id.js'
import { brokerCommand } from './java-client.js'
import { run } from './process.js'

const START_LIMIT_MS = 60_000
const RETRY_EVERY_MS = 200

/** The two ports that nobody listens on at the moment: the broker's and its controller's. */
const freePorts = async (): Promise<[number, number]> => {
  const servers = [createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address !== null) ports.push(address.port)
  }
  for (const server of servers) {
    server.close()
    await once(server, 'close')
  }
  return [ports[0] ?? 0, ports[1] ?? 0]
}

/** The authorizer makes it keep access control entries; who does not authenticate may do everything all the same. */
const propertiesOf = (port: number, controllerPort: number, folder: string): string => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${join(folder, 'data')}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
group.initial.rebalance.delay.ms=0
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`

/** A running broker. */
export class ApacheKafka {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port
    this.#child = child
    this.#folder = folder
  }

  /**
   * Starts one, and resolves when it answers whatever it is asked.
   * @throws Skipped where Java, or what fetches the broker, is missing.
   */
  static async start(): Promise<ApacheKafka> {
    const [port, controllerPort] = await freePorts()
    const folder = mkdtempSync(join(tmpdir(), 'apache-kafka-'))
    const properties = join(folder, 'server.properties')
    writeFileSync(properties, propertiesOf(port, controllerPort, folder))
    await run(brokerCommand('kafka.tools.StorageTool'), [
      ...['format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', properties],
    ])
    const { file, args } = brokerCommand('kafka.Kafka')
    const child = spawn(file, [...args, properties], { stdio: 'ignore' })
    const kafka = new ApacheKafka(port, child, folder)
    process.once('exit', () => child.kill())
    try {
      await kafka.#untilReady()
    } catch (error) {
      await kafka.stop()
      throw error
    }
    return kafka
  }

  /** Ends the process and removes its folder. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGKILL')
      await once(this.#child, 'exit')
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Its coordinators load their partitions after it accepts connections. */
  async #untilReady(): Promise<void> {
    const until = Date.now() + START_LIMIT_MS
    for (;;) {
      if (this.#child.exitCode !== null) throw new Error(`Apache Kafka ended with ${this.#child.exitCode}`)
      if (await this.#isReady().catch(() => false)) return
      if (Date.now() > until) throw new Error(`Apache Kafka does not answer after ${START_LIMIT_MS} ms`)
      await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS))
    }
  }

  async #isReady(): Promise<boolean> {
    const client = await WireClient.connect(this.port)
    try {
      await client.call(apiVersions, 3, { clientSoftwareName: 'ottla', clientSoftwareVersion: '1' })
      const coordinators = await Promise.all(
        [0, 1].map((keyType) =>
          client.call(findCoordinator, 4, { key: '', keyType, coordinatorKeys: ['first'] }),
        ),
      )
      const isThere = coordinators.every((answer) => answer.coordinators[0]?.errorCode === 0)
      const producer = { transactionTimeoutMs: 1000, producerId: -1, producerEpoch: -1 }
      const answers = await Promise.all(
        [null, 'first', 'second', 'third'].map((transactionalId) =>
          client.call(initProducerId, 4, { ...producer, transactionalId }),
        ),
      )
      return isThere && answers.every(({ errorCode }) => errorCode === 0)
    } finally {
      client.close()
    }
  }
}
