/** What `ottla serve` offers where: addresses, TLS, topics, configs; and how it stops. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp-folder.js'
import { consume, describeBroker, kafkaAt, produce } from './foreign-clients.js'
import { serveHere } from './scripted-program.js'

const pem = (name: string): string => fileURLToPath(new URL(`./tls/${name}.pem`, import.meta.url))
const pemText = (name: string): string => readFileSync(pem(name), 'utf8')

describe('ottla serve', () => {
  it('listens on several addresses, and tells clients of the one that it is told', async () => {
    const { ready, port } = await serveHere(
      [
        ['--listen', '127.0.0.1:0'],
        ['--advertise', 'localhost:0'],
        ['--advertise', 'kafka.example.org:9000'],
      ].flat(),
    )
    const ports = [...ready.matchAll(/PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/g)].map((match) => Number(match[1]))
    expect(new Set(ports).size).toBe(2)
    expect((await describeBroker(ports[0]!)).brokers).toEqual([`localhost:${port}`])
    expect((await describeBroker(ports[1]!)).brokers).toEqual(['kafka.example.org:9000'])
  })

  it('takes options from a config file, those of the command line before them', async () => {
    const folder = await tempFolder()
    const config = join(folder, 'ottla.json')
    const set = { 'num.partitions': 3, 'auto.create.topics.enable': false }
    writeFileSync(config, JSON.stringify({ topic: ['a'], data: join(folder, 'data'), quiet: true, set }))
    const fromFile = await serveHere(['--config', config])
    expect((await describeBroker(fromFile.port)).topics).toEqual({ a: 3 })
    expect(fromFile.program.reported).toEqual([])
    // The folder is taken: it is in memory that this one is.
    const fromBoth = await serveHere([
      ...['--config', config, '--memory', '--verbose', '--topic', 'b', '--set', 'num.partitions=4'],
    ])
    expect((await describeBroker(fromBoth.port)).topics).toEqual({ b: 4 })
    expect(fromBoth.program.reported.join('\n')).toContain('topic b created, 4 partitions')
  })

  it('speaks TLS with a certificate, and plain text where that is asked for', async () => {
    const { ready, port } = await serveHere([
      ...['--tls-cert', pem('server'), '--tls-key', pem('server-key'), '--topic', 'orders'],
      ...['--listen', 'PLAINTEXT://127.0.0.1:0'],
    ])
    const plainPort = Number(/PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/.exec(ready)?.[1])
    expect(ready).toBe(`ready SSL://127.0.0.1:${port} PLAINTEXT://127.0.0.1:${plainPort}`)
    const ca = [pemText('ca')]
    await produce(kafkaAt(port, { ssl: { ca } }), 'orders', 'by TLS')
    expect(await consume(kafkaAt(plainPort), 'orders', 1)).toEqual(['by TLS'])
    await expect(kafkaAt(port).admin().connect()).rejects.toThrow()
  })

  it('turns away clients without a certificate where one is required', async () => {
    const { port } = await serveHere([
      ...['--tls-cert', pem('server'), '--tls-key', pem('server-key'), '--tls-ca', pem('ca')],
      ...['--require-client-certificate', '--topic', 'orders'],
    ])
    const ca = [pemText('ca')]
    const own = { cert: pemText('client'), key: pemText('client-key') }
    await produce(kafkaAt(port, { ssl: { ca, ...own } }), 'orders', 'one')
    await expect(produce(kafkaAt(port, { ssl: { ca } }), 'orders', 'two')).rejects.toThrow()
  })

  it('lets in who has a password, by PLAIN and SCRAM, and by its own listener who needs none', async () => {
    const folder = await tempFolder()
    const users = join(folder, 'users.json')
    writeFileSync(users, JSON.stringify({ alice: 'wonderland' }))
    const args = [
      ...[
        '--data',
        join(folder, 'data'),
        '--sasl-users',
        users,
        '--sasl',
        'PLAIN',
        '--sasl',
        'SCRAM-SHA-512',
      ],
      ...['--topic', 'orders', '--listen', 'PLAINTEXT://127.0.0.1:0'],
    ]
    const { ready, port, program, ended } = await serveHere(args)
    const plainPort = Number(/ PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/.exec(ready)?.[1])
    expect(ready).toBe(`ready SASL_PLAINTEXT://127.0.0.1:${port} PLAINTEXT://127.0.0.1:${plainPort}`)
    const alice = { username: 'alice', password: 'wonderland' }
    await produce(kafkaAt(port, { sasl: { mechanism: 'plain', ...alice } }), 'orders', 'one')
    await produce(kafkaAt(port, { sasl: { mechanism: 'scram-sha-512', ...alice } }), 'orders', 'two')
    expect(await consume(kafkaAt(plainPort), 'orders', 2)).toEqual(['one', 'two'])
    await expect(produce(kafkaAt(port), 'orders', 'x')).rejects.toThrow()
    program.signal('SIGTERM')
    await ended
    // The file is what counts: another password, and the one before it is none any more.
    writeFileSync(users, JSON.stringify({ alice: 'looking-glass' }))
    const again = await serveHere(args)
    const changed = { username: 'alice', password: 'looking-glass' }
    await produce(
      kafkaAt(again.port, { sasl: { mechanism: 'scram-sha-512', ...changed } }),
      'orders',
      'three',
    )
    const old = kafkaAt(again.port, { sasl: { mechanism: 'scram-sha-512', ...alice } })
    await expect(old.admin().connect()).rejects.toThrow()
    expect(again.program.reported.join('\n')).toContain(
      'turned away: The authentication by SCRAM-SHA-512 failed',
    )
  })

  it('goes by ACLs where a super user is named', async () => {
    const users = join(await tempFolder(), 'users.json')
    writeFileSync(users, JSON.stringify({ admin: 'x', alice: 'x' }))
    const { port } = await serveHere([
      ...['--sasl', 'PLAIN', '--sasl-users', users, '--super-user', 'User:admin', '--topic', 'orders'],
    ])
    const as = (username: string) => kafkaAt(port, { sasl: { mechanism: 'plain', username, password: 'x' } })
    await expect(produce(as('alice'), 'orders', 'one')).rejects.toThrow()
    const admin = as('admin').admin()
    await admin.connect()
    await admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: 'orders',
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: 'User:alice',
          host: '*',
          operation: AclOperationTypes.WRITE,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    })
    await admin.disconnect()
    await produce(as('alice'), 'orders', 'two')
    expect(await consume(as('admin'), 'orders', 1)).toEqual(['two'])
  })

  it.each([
    [[], 'and it is without TLS'],
    [['--tls-cert', pem('server'), '--tls-key', pem('server-key')], 'and anybody may connect'],
    [
      ['--tls-cert', pem('server'), '--tls-key', pem('server-key'), '--tls-ca', pem('ca')],
      'and anybody may connect',
    ],
  ])('refuses to let other machines in with %j alone', async (args, message) => {
    await expect(
      serveHere([
        ...args,
        '--listen',
        '0.0.0.0:0',
        '--advertise',
        'localhost:0',
        '--advertise',
        'localhost:0',
      ]),
    ).rejects.toThrow(message)
  })

  it('says with --quiet only that it is ready', async () => {
    const { program, ready, ended } = await serveHere(['--quiet', '--topic', 'orders'])
    program.signal('SIGTERM')
    await ended
    expect(program).toMatchObject({ exitCode: 0, printed: [ready], reported: [] })
  })

  it('ends at once at a second signal, unless that is the first one again', async () => {
    const clock = new ManualClock()
    const { program, ended } = await serveHere([], clock)
    program.signal('SIGINT')
    program.signal('SIGINT')
    expect(program.endedNowWith).toBeUndefined()
    clock.advance(1000)
    program.signal('SIGTERM')
    expect(program.endedNowWith).toBe(1)
    await ended
  })
})
