/** Unix sockets: who may connect, what a dead process has left, and clients from npm. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla } from '../../../src/index.js'
import { metadata } from '../../../src/protocol/api/metadata.js'
import { WireClient } from '../../support/wire-client.js'

let ottla: Ottla
let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ottla-socket-'))
  path = join(folder, 'kafka.sock')
  ottla = await Ottla.open()
  await ottla.createTopic('t')
})
afterEach(async () => {
  await ottla.close()
  await rm(folder, { recursive: true })
})

/** What a client is told to connect to. */
const toldBy = async (to: number | string): Promise<readonly { host: string; port: number }[]> => {
  const client = await WireClient.connect(to)
  const { brokers } = await client.call(metadata, 9, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  client.close()
  return brokers.map(({ host, port }) => ({ host, port }))
}

describe('a Unix socket', () => {
  it('is for this user alone unless it is said otherwise', async () => {
    await ottla.listen({ path })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const other = join(folder, 'other.sock')
    await ottla.listen({ path: other, pathMode: 0o660 })
    expect((await stat(other)).mode & 0o777).toBe(0o660)
  })

  it('tells its clients of itself, and other listeners theirs of themselves', async () => {
    await ottla.listen({ path })
    const { host, port } = await ottla.listen()
    const behind = await ottla.listen({ advertised: { host: 'kafka.example', port: 19_092 } })
    expect(await toldBy(path)).toEqual([{ host: path, port: 0 }])
    expect(await toldBy(port)).toEqual([{ host, port }])
    expect(await toldBy(behind.port)).toEqual([{ host: 'kafka.example', port: 19_092 }])
  })

  it('takes the place of one whose process has died', async () => {
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('listens'))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(child.stdout, 'data')
      await expect(ottla.listen({ path })).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION' })
    } finally {
      child.kill('SIGKILL')
    }
    await once(child, 'exit')
    expect((await stat(path)).isSocket()).toBe(true)
    await ottla.listen({ path })
    expect(await toldBy(path)).toEqual([{ host: path, port: 0 }])
  })

  it('does not take the place of one that somebody listens at, or of a file', async () => {
    await ottla.listen({ path })
    await expect(ottla.listen({ path })).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION' })
    expect(await toldBy(path)).toEqual([{ host: path, port: 0 }])
    const file = join(folder, 'file')
    await writeFile(file, 'mine')
    await expect(ottla.listen({ path: file })).rejects.toMatchObject({ code: 'NETWORK_EXCEPTION' })
    expect((await stat(file)).size).toBe(4)
  })

  it('is gone with its listener', async () => {
    const listener = await ottla.listen({ path })
    await listener.close()
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.each([
    ['a host', { host: '127.0.0.1' }],
    ['a port', { port: 0 }],
    ['a mode that is none', { pathMode: 0o1000 }],
  ])('has no use for %s', async (_what, options) => {
    await expect(ottla.listen({ path, ...options })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('is what a mode is for', async () => {
    await expect(ottla.listen({ pathMode: 0o600 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('serves kafkajs, which is told how to connect', async () => {
    const { advertised } = await ottla.listen({ path })
    const kafka = new Kafka({
      brokers: [`${advertised.host}:${advertised.port}`],
      socketFactory: ({ host, onConnect }) => connect(host, onConnect),
      logLevel: logLevel.NOTHING,
    })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 't', messages: [{ value: 'over a file' }] })
    await producer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.fetchTopicOffsets('t')).toMatchObject([{ partition: 0, high: '1' }])
    await admin.disconnect()
  })
})
