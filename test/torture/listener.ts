/**
 * The suite `listener`: a broker with a thousand idle connections and two hundred busy ones, among clients that mean it
 * harm; and rounds of damaged frames. Whoever behaves is served, nobody waits for ever, and memory stays bounded.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { apiVersions } from '../../src/protocol/api/api-versions.js'
import { fetch } from '../../src/protocol/api/fetch.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import { produce } from '../../src/protocol/api/produce.js'
import { encodeRequest } from '../../src/protocol/frame.js'
import { BatchBuilder } from '../../src/record/encode.js'
import { SeededRandom } from '../support/seeded-random.js'
import type { Suite } from '../support/suite-command.js'
import { WireClient } from '../support/wire-client.js'
import { Children, pause, type Child } from './children.js'
import { MAX_REQUEST_BYTES } from './listener/broker.js'

const IDLE_CONNECTIONS = 1000
const BUSY_CONNECTIONS = 200
const BUSY_CALLS = 100
/** What an idle connection may cost the broker. */
const MAX_IDLE_BYTES = 50_000
/** What a broker may have resident after a round of damaged frames, in MB. */
const MAX_RSS_MB = 400
const FRAMES_A_ROUND = 4000
/** Who behaves is answered within this. */
const ANSWER_LIMIT_MS = 20_000

const rssBytes = ({ pid }: Child): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1000

const startBroker = async (children: Children): Promise<{ child: Child; port: number }> => {
  const child = children.start('broker')
  await child.said('\n')
  return { child, port: Number(/ready (\d+)/.exec(child.output())?.[1]) }
}

const inTime = <T>(answer: Promise<T>): Promise<T> =>
  Promise.race([
    answer,
    pause(ANSWER_LIMIT_MS).then(() => {
      throw new Error(`no answer within ${ANSWER_LIMIT_MS / 1000} seconds`)
    }),
  ])

const askVersions = (client: WireClient) =>
  inTime(client.call(apiVersions, 3, { clientSoftwareName: 'torture', clientSoftwareVersion: '1' }))

const topicIdOn = async (port: number): Promise<string> => {
  const client = await WireClient.connect(port)
  const { topics } = await inTime(
    client.call(metadata, 12, {
      topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name: 't' }],
      allowAutoTopicCreation: false,
    } as never),
  )
  client.close()
  const [topic] = topics
  assert.equal(topic?.errorCode, 0)
  return topic.topicId
}

const produceRequest = (partition: number, text: string): Buffer => {
  const builder = new BatchBuilder()
  builder.append(Date.now(), null, Buffer.from(text), [])
  const partitionData = [{ index: partition, records: [builder.build({})] }]
  return Buffer.concat(
    encodeRequest(
      produce,
      9,
      {
        transactionalId: null,
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionData }],
      },
      { correlationId: 7, clientId: 'torture' },
    ),
  )
}

/** Writes and reads until it did both often enough; every call must be answered well. */
const beBusy = async (port: number, topicId: string, index: number): Promise<void> => {
  const client = await WireClient.connect(port)
  const partition = index % 4
  for (let call = 0; call < BUSY_CALLS; call++) {
    const answer = client.next()
    client.write(produceRequest(partition, `${index}/${call}`))
    await inTime(answer)
    if (call % 10 !== 0) continue
    const { responses, errorCode } = await inTime(
      client.call(fetch, 13, {
        replicaId: -1,
        maxWaitMs: 1,
        minBytes: 1,
        maxBytes: 10_000,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            topic: 't',
            topicId,
            partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 10_000, currentLeaderEpoch: -1 }],
          },
        ],
        forgottenTopicsData: [],
        rackId: '',
      } as never),
    )
    assert.equal(errorCode, 0)
    assert.ok([0, 1].includes(responses[0]!.partitions[0]!.errorCode))
  }
  client.close()
}

/** Clients that mean harm; each opens its connection, does its worst and stays, until it is let go. */
const HARM: Readonly<Record<string, (client: WireClient, random: SeededRandom) => void>> = {
  'sends noise': (client, random) => client.write(random.bytes(1 + random.below(2000))),
  'stalls inside a frame': (client) => {
    const frame = produceRequest(0, 'x'.repeat(1000))
    client.write(frame.subarray(0, frame.length - 10))
  },
  'asks for 2 GB': (client) => client.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 9])),
  'announces the largest frame, and sends none of it': (client) => {
    const size = Buffer.alloc(4)
    size.writeInt32BE(MAX_REQUEST_BYTES)
    client.write(size)
  },
  'asks on and on, and reads no answer': (client) => {
    client.pause()
    const ask = Buffer.concat(
      encodeRequest(
        apiVersions,
        3,
        { clientSoftwareName: 'torture', clientSoftwareVersion: '1' },
        { correlationId: 1, clientId: '' },
      ),
    )
    for (let count = 0; count < 1000; count++) client.write(ask)
  },
}

/** A frame of produce, fetch or another API, with some of its bytes changed. */
const damagedFrame = (random: SeededRandom): Buffer => {
  const frame = produceRequest(random.below(6), 'x'.repeat(random.below(300)))
  if (random.below(2) === 0) {
    frame.writeInt16BE(random.below(95), 4)
    frame.writeInt16BE(random.below(18), 6)
  }
  for (let changes = random.below(6); changes > 0; changes--) {
    frame[8 + random.below(frame.length - 8)] = random.below(256)
  }
  const cut = frame.subarray(0, frame.length - (random.below(3) === 0 ? random.below(frame.length - 8) : 0))
  // A size that lies would only have the broker wait for the rest.
  if (random.below(20) > 0) cut.writeInt32BE(cut.length - 4)
  return cut
}

const fuzz = async (port: number, random: SeededRandom): Promise<void> => {
  const lane = async (): Promise<void> => {
    for (let left = FRAMES_A_ROUND / 20; left > 0;) {
      const client = await WireClient.connect(port)
      // Several on one connection: what follows a damaged one is damage too.
      for (let many = 1 + random.below(10); many > 0 && left > 0; many--, left--)
        client.write(damagedFrame(random))
      const end = client.closed.then(() => undefined)
      const answer = client.next().then(
        () => undefined,
        () => undefined,
      )
      await Promise.race([answer, end, pause(50)])
      client.close()
      await client.closed
    }
  }
  await Promise.all(Array.from({ length: 20 }, lane))
}

/** Connections of all kinds, and damaged frames. */
export const listener: Suite = {
  name: 'listener',
  summary: 'a broker among a thousand idle connections, two hundred busy ones, and clients that mean harm',
  defaultRounds: 20,
  async run({ rounds, seed, check }) {
    const children = await Children.build()
    await check(
      `${IDLE_CONNECTIONS} idle and ${BUSY_CONNECTIONS} busy connections among harmful ones`,
      async () => {
        const { child, port } = await startBroker(children)
        const random = new SeededRandom(seed)
        try {
          const topicId = await topicIdOn(port)
          // What the first connections have loaded is no cost of the next.
          await Promise.all(Array.from({ length: 50 }, (_, index) => beBusy(port, topicId, index)))
          const before = rssBytes(child)
          const idle: WireClient[] = []
          for (let count = 0; count < IDLE_CONNECTIONS; count += 50) {
            const more = await Promise.all(Array.from({ length: 50 }, () => WireClient.connect(port)))
            await Promise.all(more.map(askVersions))
            idle.push(...more)
          }
          const idleBytes = Math.max(0, rssBytes(child) - before) / IDLE_CONNECTIONS
          assert.ok(idleBytes <= MAX_IDLE_BYTES, `an idle connection costs ${idleBytes} bytes`)

          const harmful: WireClient[] = []
          for (let count = 0; count < 10; count++) {
            for (const harm of Object.values(HARM)) {
              const client = await WireClient.connect(port)
              harm(client, random)
              harmful.push(client)
            }
          }
          await Promise.all(
            Array.from({ length: BUSY_CONNECTIONS }, (_, index) => beBusy(port, topicId, index)),
          )
          // Those who only waited are there, and served.
          await Promise.all(idle.map(askVersions))
          for (const client of [...harmful, ...idle]) client.close()
          await Promise.all([...harmful, ...idle].map(({ closed }) => closed))
          await topicIdOn(port)
          return `${(idleBytes / 1000).toFixed(1)} kB an idle connection, ${(rssBytes(child) / 1e6).toFixed(0)} MB resident at the end`
        } finally {
          child.kill()
          await child.ended
        }
      },
    )
    for (let round = 1; round <= rounds; round++) {
      await check(`round ${round}: damaged frames`, async () => {
        const { child, port } = await startBroker(children)
        try {
          await fuzz(port, new SeededRandom(seed + round))
          await topicIdOn(port)
          const megabytes = rssBytes(child) / 1e6
          assert.ok(megabytes <= MAX_RSS_MB, `${megabytes} MB are resident`)
          return `${FRAMES_A_ROUND} frames, ${megabytes.toFixed(0)} MB resident`
        } finally {
          child.kill()
          const { errors } = await child.ended
          assert.equal(errors, '')
        }
      })
    }
  },
}
