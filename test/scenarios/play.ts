/** Plays a scenario on a broker that listens on a port: an Ottla, or an Apache Kafka. */
import type { Api, Fields, Message } from '../../src/protocol/schema.js'
import { decodeResponseBody } from '../../src/protocol/frame.js'
import { Reader } from '../../src/protocol/reader.js'
import { Writer } from '../../src/protocol/writer.js'
import { WireClient } from '../support/wire-client.js'
import { differences } from './match.js'
import { Names } from './names.js'
import { apiNamed, requestOf } from './requests.js'
import type { AnswerStep, FrameStep, RequestStep, Scenario, Step } from './scenario.js'

/** How long an answer may take, and how long a step that is tried again. */
const ANSWER_LIMIT_MS = 15_000
const RETRY_LIMIT_MS = 10_000
const RETRY_EVERY_MS = 20

/** What stands for an answer when the connection ends instead. */
const CLOSED = 'closed'

let played = 0

/**
 * Plays `scenario` against the broker on `port` of this machine.
 * @throws Error that says at which step, and how the answer differs.
 */
export const play = async (scenario: Scenario, port: number): Promise<void> => {
  const player = new Player(port, new Names(`s${process.pid}-${++played}`))
  try {
    await player.createTopics(scenario)
    for (const [index, step] of scenario.steps.entries()) {
      await player.step(step).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error)
        throw new Error(`step ${index + 1} (${titleOf(step)}): ${message}`, { cause: error })
      })
    }
  } finally {
    player.close()
  }
}

const titleOf = (step: Step): string => {
  if ('api' in step) return `${step.api} v${step.version ?? apiNamed(step.api).versions[1]}`
  if ('answerOf' in step) return `the answer of ${step.answerOf}`
  return 'frame' in step ? `API ${step.frame.apiKey} v${step.frame.apiVersion}` : `${step.waitMs} ms`
}

class Player {
  readonly #port: number
  readonly #names: Names
  readonly #clients = new Map<string, Promise<WireClient>>()
  readonly #later = new Map<string, Promise<unknown>>()

  constructor(port: number, names: Names) {
    this.#port = port
    this.#names = names
  }

  async createTopics({ topics = {} }: Scenario): Promise<void> {
    for (const [name, { partitions = 1, configs = {} }] of Object.entries(topics)) {
      const request = {
        topics: [
          {
            name: `~${name}`,
            numPartitions: partitions,
            replicationFactor: 1,
            configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
          },
        ],
        timeoutMs: RETRY_LIMIT_MS,
      }
      const created = { api: 'CreateTopics', body: request, expect: { topics: [{ errorCode: 'NONE' }] } }
      await this.step(created)
      const leaders = Array.from({ length: partitions }, () => ({ errorCode: 'NONE' }))
      const found: Step = {
        api: 'Metadata',
        body: { topics: [{ name: `~${name}` }], allowAutoTopicCreation: false },
        expect: { topics: [{ errorCode: 'NONE', partitions: leaders }] },
        eventually: true,
      }
      await this.step(found)
      const answer = (await this.#send(found)) as { topics: readonly { topicId: string }[] }
      this.#names.set(`${name}Id`, answer.topics[0]?.topicId)
      for (let partition = 0; partition < partitions; partition++) {
        await this.step({
          api: 'ListOffsets',
          body: {
            replicaId: -1,
            topics: [{ name: `~${name}`, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
          },
          expect: { topics: [{ partitions: [{ errorCode: 'NONE' }] }] },
          eventually: true,
        })
      }
    }
  }

  async step(step: Step): Promise<void> {
    if ('waitMs' in step) await new Promise((resolve) => setTimeout(resolve, step.waitMs))
    else if ('answerOf' in step) await this.#answer(step)
    else if ('frame' in step) await this.#compare(step.expect, await this.#frame(step))
    else await this.#request(step)
  }

  close(): void {
    for (const client of this.#clients.values()) void client.then((one) => one.close())
  }

  async #request(step: RequestStep): Promise<void> {
    if (step.later !== undefined) {
      const answer = this.#send(step)
      answer.catch(() => undefined)
      this.#later.set(step.later, answer)
      return
    }
    const until = Date.now() + RETRY_LIMIT_MS
    for (;;) {
      const answer = await this.#send(step)
      const found = await differences(step.expect ?? {}, answer, this.#names)
      if (found.length === 0) return
      const isWorthIt = step.eventually === true && Date.now() < until
      if (!isWorthIt) throw new Error(found.join('\n'))
      await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS))
    }
  }

  async #answer({ answerOf, expect }: AnswerStep): Promise<void> {
    const answer = this.#later.get(answerOf)
    if (answer === undefined) throw new Error(`nothing was sent as ${answerOf}`)
    await this.#compare(expect, await answer)
  }

  async #compare(expected: unknown, answer: unknown): Promise<void> {
    const found = await differences(expected, answer, this.#names)
    if (found.length > 0) throw new Error(found.join('\n'))
  }

  async #send(step: RequestStep): Promise<unknown> {
    const api: Api = apiNamed(step.api)
    const version = step.version ?? api.versions[1]
    const request: Message<Fields> = requestOf(api, step.body, this.#names)
    const client = await this.#client(step.client)
    return withinLimit(client, client.call(api, version, request))
  }

  async #frame({ frame, as, client: name }: FrameStep): Promise<unknown> {
    const client = await this.#client(name)
    const writer = new Writer()
    writer.int32(0)
    writer.int16(frame.apiKey)
    writer.int16(frame.apiVersion)
    writer.int32(1)
    writer.string('wire', false)
    for (const byte of frame.body ?? []) writer.int8((byte << 24) >> 24)
    const bytes = Buffer.concat(writer.finish())
    bytes.writeInt32BE(bytes.length - 4, 0)
    const answer = client.next()
    client.write(bytes)
    const response = await withinLimit(client, answer)
    if (response === CLOSED || as === undefined) return response
    const reader = new Reader(response as Uint8Array)
    reader.int32()
    return decodeResponseBody(apiNamed(as.api), as.version, reader)
  }

  #client(name = 'client'): Promise<WireClient> {
    const known = this.#clients.get(name)
    if (known !== undefined) return known
    const client = WireClient.connect(this.#port)
    this.#clients.set(name, client)
    return client
  }
}

/** What `answer` resolves to, or that the connection was closed instead. */
const withinLimit = async (client: WireClient, answer: Promise<unknown>): Promise<unknown> => {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${ANSWER_LIMIT_MS / 1000} seconds`)),
      ANSWER_LIMIT_MS,
    )
  })
  try {
    return await Promise.race([answer, client.closed.then(() => CLOSED), limit])
  } catch (error) {
    if (error instanceof Error && error.message === 'the connection was closed') return CLOSED
    throw error
  } finally {
    clearTimeout(timer)
  }
}
