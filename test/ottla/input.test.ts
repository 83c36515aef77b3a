/** Bad input through the public API: each a typed error that names the thing, the value and what would be right. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytes, int32, json, Ottla, OttlaError, string, type ErrorCode } from 'ottla'
import { fileStorage } from 'ottla/storage/file'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.js'

const failure = async (action: () => unknown): Promise<OttlaError> => {
  try {
    await action()
  } catch (error) {
    if (OttlaError.is(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('bad input', () => {
  let ottla: Ottla
  beforeEach(async () => {
    ottla = await Ottla.open()
  })
  afterEach(() => ottla.close())

  const BYTES = new Uint8Array(1)

  /** What is asked for, the code that Kafka or the error table has for it, and what the message has to name. */
  type Case = readonly [name: string, action: (ottla: Ottla) => unknown, code: ErrorCode, ...named: string[]]
  const cases: readonly Case[] = [
    [
      'an unknown option of open',
      () => Ottla.open({ locatoin: 'x' } as never),
      'UNKNOWN_OPTION',
      'locatoin',
      'location',
    ],
    [
      'options behind no folder',
      () => Ottla.open({ durability: 'os' } as never, { durability: 'fsync' }),
      'INVALID_ARGUMENT',
      'first argument',
      'a folder',
    ],
    [
      'an unknown option behind a folder',
      () => Ottla.open('x', { durabilty: 'fsync' } as never),
      'UNKNOWN_OPTION',
      'durabilty',
      'durability',
    ],
    [
      'two folders',
      () => Ottla.open('x', { location: 'y' } as never),
      'INVALID_ARGUMENT',
      'location',
      'first argument',
    ],
    [
      'a record from too far ahead',
      async (o) => {
        const configs = { 'message.timestamp.after.max.ms': 1000 }
        const topic = await o.createTopic('punctual', { configs })
        return o.producer().send(topic, { value: BYTES, timestamp: 9e15 })
      },
      'INVALID_TIMESTAMP',
      'punctual-0: a record has the timestamp 9000000000000000; expected at most ',
    ],
    ['fsync in memory', () => Ottla.open({ durability: 'fsync' }), 'INVALID_ARGUMENT', 'durability', 'os'],
    [
      'an unknown option of a producer',
      (o) => o.producer({ lingerMillis: 1 } as never),
      'UNKNOWN_OPTION',
      'lingerMillis',
      'lingerMs',
    ],
    [
      'a bad value of a producer option',
      (o) => o.producer({ batchSize: -1 }),
      'INVALID_ARGUMENT',
      'batchSize',
      '-1',
      'at least',
    ],
    [
      'a signal that is none',
      async (o) => o.producer().send(await o.createTopic('t'), { value: BYTES }, { signal: 5 } as never),
      'INVALID_ARGUMENT',
      'signal of send',
      'AbortSignal',
    ],
    [
      'an unknown option of send',
      async (o) => o.producer().send(await o.createTopic('t'), { value: BYTES }, { sygnal: null } as never),
      'UNKNOWN_OPTION',
      'sygnal',
      'signal',
    ],
    [
      'a folder with the log of another storage',
      async () => {
        const folder = await tempFolder()
        const files = await Ottla.open({ storage: fileStorage(folder) })
        await files.createTopic('t')
        await files.close()
        return Ottla.open(folder)
      },
      'STORAGE_NOT_EMPTY',
      'file storage',
      'fileStorage(location)',
    ],
    [
      'a folder with the log of another storage, the other way round',
      async () => {
        const folder = await tempFolder()
        await (await Ottla.open(folder)).close()
        return Ottla.open({ storage: fileStorage(folder) })
      },
      'STORAGE_NOT_EMPTY',
      'level storage',
      'Ottla.open(location)',
    ],
    [
      'headers in a Map',
      async (o) =>
        o
          .producer()
          .send(await o.createTopic('t'), { value: BYTES, headers: new Map([['a', 'b']]) as never }),
      'INVALID_ARGUMENT',
      'headers',
      'an object of names',
    ],
    [
      'an unknown broker config',
      () => Ottla.open({ configs: { 'num.partition': 3 } }),
      'INVALID_CONFIG',
      'num.partition',
      'num.partitions',
    ],
    [
      'an unknown topic config',
      (o) => o.createTopic('t', { configs: { 'retention.mss': 1 } }),
      'INVALID_CONFIG',
      'retention.mss',
      'retention.ms',
    ],
    [
      'a bad topic config',
      (o) => o.createTopic('t', { configs: { 'retention.ms': 'soon' } }),
      'INVALID_CONFIG',
      'retention.ms',
      'soon',
    ],
    [
      'a config with a value that it cannot have',
      (o) => o.createTopic('t', { configs: { 'cleanup.policy': 'keep' } }),
      'INVALID_CONFIG',
      'cleanup.policy',
      'delete',
    ],
    ['a bad topic name', (o) => o.createTopic('no spaces'), 'INVALID_TOPIC_EXCEPTION', 'no spaces'],
    [
      'no partitions',
      (o) => o.createTopic('t', { partitions: 0 }),
      'INVALID_ARGUMENT',
      'partitions',
      '0',
      'at least 1',
    ],
    [
      'an unknown option of read',
      async (o) => (await o.createTopic('t')).partition(0).read({ form: 5 } as never),
      'UNKNOWN_OPTION',
      'form',
      'from',
    ],
    [
      'one topic where a list is deleted',
      (o) => o.admin.deleteTopics('orders' as never),
      'INVALID_ARGUMENT',
      'orders',
      'expected a list',
    ],
    [
      'one partition where a list is paused',
      async (o) =>
        o.consumer({ assign: [await o.createTopic('t')] }).pause({ topic: 't', partition: 0 } as never),
      'INVALID_ARGUMENT',
      'a list of partitions',
    ],
    ['an unknown topic', (o) => o.topic('orderz'), 'UNKNOWN_TOPIC_OR_PARTITION', 'orderz', 'createTopic'],
  ]

  for (const [name, action, code, ...named] of cases) {
    it(name, async () => {
      const error = await failure(() => action(ottla))
      expect(error.code).toBe(code)
      for (const text of named) expect(error.message).toContain(text)
    })
  }

  it('a topic that exists with other partitions', async () => {
    await ottla.createTopic('orders', { partitions: 3 })
    const error = await failure(() => ottla.createTopic('orders', { partitions: 4 }))
    expect(error.code).toBe('TOPIC_MISMATCH')
    expect(error.message).toMatch(/orders.*3.*4/)
  })

  it('a partition that is not there', async () => {
    const topic = await ottla.createTopic('orders', { partitions: 3 })
    const error = await failure(() => topic.partition(3))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(error.message).toContain('from 0 to 2')
  })

  it('a value and a key of the wrong type, of which nothing is sent', async () => {
    const topic = await ottla.createTopic('orders', { key: string, value: int32 })
    const producer = ottla.producer()
    const value = await failure(() => producer.send(topic, { key: 'k', value: 'x' as never }))
    expect(value).toMatchObject({
      code: 'SERIALIZATION_FAILED',
      details: { topic: 'orders', field: 'value' },
    })
    const key = await failure(() => producer.send(topic, [{ value: 1 }, { key: 7 as never, value: 2 }]))
    expect(key).toMatchObject({ code: 'SERIALIZATION_FAILED', details: { field: 'key', index: 1 } })
    const [end] = await ottla.admin.listOffsets([{ topic: 'orders', partition: 0 }], 'latest')
    expect(end?.offset).toBe(0)
  })

  it('a record that another serde wrote', async () => {
    const written = await ottla.createTopic('orders', { value: string })
    await ottla.producer().send(written, { value: 'not json' })
    const read = await ottla.topic('orders', { value: json<object>() })
    const error = await failure(async () => {
      for await (const message of read.partition(0).read({ to: 'latest' })) expect(message).toBeUndefined()
    })
    expect(error).toMatchObject({
      code: 'DESERIALIZATION_FAILED',
      details: { topic: 'orders', partition: 0, offset: 0 },
    })
    expect(error.message).toContain('json')
  })

  it('an offset out of range', async () => {
    const topic = await ottla.createTopic('orders')
    await ottla.producer().send(topic, { value: new Uint8Array(1) })
    const error = await failure(async () => {
      for await (const message of topic.partition(0).read({ from: 99 })) expect(message).toBeUndefined()
    })
    expect(error.code).toBe('OFFSET_OUT_OF_RANGE')
    expect(error.message).toMatch(/orders-0.*99/)
  })

  it('a record over the limit of the producer, and one over that of the topic', async () => {
    const topic = await ottla.createTopic('orders', { value: bytes, configs: { 'max.message.bytes': 1000 } })
    const own = await failure(() => ottla.producer().send(topic, { value: new Uint8Array(2_000_000) }))
    expect(own.code).toBe('MESSAGE_TOO_LARGE')
    expect(own.message).toContain('1048576')
    const topics = await failure(() => ottla.producer().send(topic, { value: new Uint8Array(5000) }))
    expect(topics.code).toBe('MESSAGE_TOO_LARGE')
    expect(topics.message).toContain('1000')
  })
})

describe('a folder', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ottla-folder-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('that this process holds', async () => {
    await using first = await Ottla.open(folder)
    const error = await failure(() => Ottla.open(folder))
    expect(error.code).toBe('STORAGE_LOCKED')
    expect(error.message).toContain(folder)
    // The refusal has not loosened the first one's hold.
    await first.createTopic('still-mine')
  })

  it(
    'that another process holds, and that is free again when that one was killed',
    { timeout: 30_000 },
    async () => {
      const program = `import { Ottla } from 'ottla'; await Ottla.open(${JSON.stringify(folder)}); console.log('open'); setInterval(() => {}, 1000)`
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
        cwd: process.cwd(),
        env: { ...process.env, NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      try {
        await new Promise<void>((resolve, reject) => {
          child.stdout.once('data', () => resolve())
          child.once('exit', (code) => reject(new Error(`the holder ended with ${code}`)))
        })
        const error = await failure(() => Ottla.open(folder))
        expect(error.code).toBe('STORAGE_LOCKED')
        expect(error.message).toContain(String(child.pid))
      } finally {
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGKILL')
        await ended
      }
      await (await Ottla.open(folder)).close()
    },
  )

  it('that is a file', async () => {
    const path = join(folder, 'file')
    await writeFile(path, 'not a folder')
    const error = await failure(() => Ottla.open(path))
    expect(error.code).toBe('STORAGE_FAILED')
    expect(error.message).toContain(path)
  })

  it('whose files are damaged: an error, and never fewer records without one', async () => {
    const sent = 200
    {
      await using ottla = await Ottla.open(folder)
      const topic = await ottla.createTopic('orders')
      const producer = ottla.producer()
      for (let i = 0; i < sent; i++) await producer.send(topic, { value: new Uint8Array(1000).fill(i) })
    }
    const logs = (await readdir(folder)).filter((name) => /\.(log|ldb)$/.test(name))
    expect(logs.length).toBeGreaterThan(0)
    for (const name of logs) {
      const path = join(folder, name)
      const content = await readFile(path)
      for (let at = content.length >> 2; at < content.length; at += 5000)
        content[at] = (content[at] ?? 0) ^ 0xff
      await writeFile(path, content)
    }
    let seen = 0
    let code: string | undefined
    try {
      await using ottla = await Ottla.open(folder)
      const topic = await ottla.topic('orders')
      for await (const message of topic.partition(0).read({ to: 'latest' })) {
        expect(message.value).toEqual(new Uint8Array(1000).fill(seen))
        seen++
      }
    } catch (error) {
      if (!OttlaError.is(error)) throw error
      code = error.code
    }
    if (seen < sent)
      expect([
        'STORAGE_CORRUPT',
        'STORAGE_FAILED',
        'CORRUPT_MESSAGE',
        'KAFKA_STORAGE_ERROR',
        'UNKNOWN_TOPIC_OR_PARTITION',
      ]).toContain(code)
  })
})
