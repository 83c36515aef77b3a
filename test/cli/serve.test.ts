/** `ottla serve` as a process: its lines, its ends, and the log that is there again. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.js'
import { WireClient } from '../support/wire-client.js'
import { consume, describeBroker, kafkaAt, produce } from './foreign-clients.js'
import { ottla, serve } from './processes.js'

// Windows knows no signals: a process that is told to end is gone.
describe.skipIf(process.platform === 'win32')('ottla serve', () => {
  it('says where it listens, has its topics, and stops well at SIGTERM', async () => {
    const { child, ended, ready, port } = await serve('--topic', 'orders:3', '--topic', 'clicks')
    expect(ready).toBe(`ready PLAINTEXT://127.0.0.1:${port}`)
    expect((await describeBroker(port)).topics).toEqual({ orders: 3, clicks: 1 })
    child.kill('SIGTERM')
    const { code, signal, stdout } = await ended
    expect({ code, signal, stdout }).toEqual({ code: 0, signal: null, stdout: `${ready}\n` })
  })

  it('stops well at SIGINT, with clients connected', async () => {
    const { child, ended, port } = await serve('--memory')
    const client = await WireClient.connect(port)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: 0, signal: null })
    await client.closed
  })

  it.each(['level', 'file'])('keeps on %s storage what was acknowledged', async (storage) => {
    const data = join(await tempFolder(), 'data')
    const args = ['--data', data, '--storage', storage, '--topic', 'orders:2'] as const
    const first = await serve(...args)
    await produce(kafkaAt(first.port), 'orders', 'one', 'two', 'three')
    first.child.kill('SIGTERM')
    expect(await first.ended).toMatchObject({ code: 0 })

    const second = await serve(...args)
    expect(await consume(kafkaAt(second.port), 'orders', 3)).toEqual(['one', 'two', 'three'])
    second.child.kill('SIGTERM')
    const { code, stderr } = await second.ended
    expect(code).toBe(0)
    expect(stderr).toMatch(/all partitions opened \(2\) in \d+ ms/)
  })

  it('opens what a killed one left', async () => {
    const data = join(await tempFolder(), 'data')
    const first = await serve('--data', data, '--topic', 'orders')
    await produce(kafkaAt(first.port), 'orders', 'one')
    first.child.kill('SIGKILL')
    await first.ended
    const second = await serve('--data', data)
    expect(await consume(kafkaAt(second.port), 'orders', 1)).toEqual(['one'])
  })

  it('says everything in JSON with --json', async () => {
    const data = join(await tempFolder(), 'data')
    const { child, ended, port } = await serve('--json', '--data', data, '--topic', 'orders:3', '--verbose')
    await produce(kafkaAt(port), 'orders', 'one')
    await consume(kafkaAt(port), 'orders', 1)
    child.kill('SIGTERM')
    const { code, stdout, stderr } = await ended
    expect(code).toBe(0)
    const address = { host: '127.0.0.1', port }
    expect(JSON.parse(stdout)).toMatchObject({
      level: 'info',
      event: 'ready',
      message: `ready PLAINTEXT://127.0.0.1:${port}`,
      listeners: [{ protocol: 'PLAINTEXT', ...address, advertised: address }],
    })
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; time: string })
    for (const { time } of lines) expect(new Date(time).toISOString()).toBe(time)
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'topicCreated', topic: 'orders', partitions: 3 }),
    )
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'groupRebalanced', level: 'debug', groupId: 'test' }),
    )
    expect(lines.map(({ event }) => event).slice(-2)).toEqual(['stopping', 'stopped'])
  })

  it('refuses in a line a folder that another process has open', async () => {
    const data = join(await tempFolder(), 'data')
    const { child } = await serve('--data', data)
    const { code, stdout, stderr } = await ottla('serve', '--listen', '127.0.0.1:0', '--data', data).ended
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.trimEnd().split('\n').at(-1)).toContain(`is locked: process ${child.pid} has it open`)
  })
})
