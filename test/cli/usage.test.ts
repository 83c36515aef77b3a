/** What the command says of itself, and of a command line that it cannot follow: a line, and an exit code. */
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Ottla } from '../../src/index.js'
import { tempFolder } from '../support/temp-folder.js'
import { run, serveHere } from './scripted-program.js'

const refusal = async (...args: readonly string[]) => {
  const { exitCode, printed, reported } = await run('serve', '--listen', '127.0.0.1:0', ...args)
  expect(printed).toEqual([])
  return { exitCode, last: reported.at(-1) ?? '' }
}

const tls = (...names: readonly string[]): string[] => names.flatMap((name) => [`--tls-${name}`, 'a.pem'])

describe('ottla serve refuses in a line', () => {
  it('an address in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { exitCode, last } = await refusal('--listen', `127.0.0.1:${port}`, '--json')
    server.close()
    expect(exitCode).toBe(1)
    expect(JSON.parse(last)).toMatchObject({
      level: 'error',
      event: 'failed',
      code: 'NETWORK_EXCEPTION',
      message: expect.stringContaining(`Cannot listen on 127.0.0.1:${port}`) as string,
    })
  })

  it('a topic that is there with other partitions', async () => {
    const data = join(await tempFolder(), 'data')
    const before = await Ottla.open(data)
    await before.createTopic('orders', { partitions: 2 })
    await before.close()
    const { exitCode, last } = await refusal('--data', data, '--topic', 'orders:3')
    expect(exitCode).toBe(1)
    expect(last).toContain('Topic orders exists already, with partitions 2 instead of 3')
  })

  const unsafe = ['--listen', '0.0.0.0:0', '--advertise', 'localhost:0', '--advertise', 'example.org:0']
  it.each<[readonly string[], string]>([
    [['--lisen', 'x'], "unknown option '--lisen' (Did you mean --listen?)"],
    [['--storage', 'disk'], 'Allowed choices are level, file.'],
    [['--listen', '9092'], '--listen is "9092"; expected HOST:PORT'],
    [['--listen', '127.0.0.1:65536'], '--listen is "127.0.0.1:65536"; expected HOST:PORT'],
    [['--listen', '::1:9092'], '--listen is "::1:9092"; expected HOST:PORT'],
    [['--listen', '[::1]'], '--listen is "[::1]"; expected HOST:PORT'],
    [['--listen', 'SSL://127.0.0.1:0'], '--listen SSL://127.0.0.1:0 asks for TLS'],
    [['--listen', '0.0.0.0:0'], '--listen 0.0.0.0:0 is every address of this machine'],
    [unsafe, '--listen 0.0.0.0:0 may be reached by other machines'],
    [['--listen', 'SASL_SSL://127.0.0.1:0', ...tls('cert', 'key')], '127.0.0.1:0 asks for SASL'],
    [['--sasl', 'GSSAPI'], 'expected a list of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512'],
    [['--sasl', 'PLAIN'], '--sasl PLAIN needs --sasl-users'],
    [['--super-user', 'admin'], '--super-user is "admin"; expected TYPE:NAME, for instance User:admin'],
    [['--sasl-users', 'a.json'], '--sasl-users a.json needs --sasl'],
    [
      ['--sasl', 'PLAIN', '--sasl-users', 'nowhere.json'],
      '--sasl-users is "nowhere.json"; expected a file that is there',
    ],
    [['--advertise', 'a:1', '--advertise', 'b:1'], '--advertise is given 2 times'],
    [['--memory', '--data', 'd'], '--memory and --data d exclude each other'],
    [['--storage', 'file'], '--storage file says how a folder is kept'],
    [['--durability', 'fsync'], '--durability fsync needs a folder'],
    [['--data', ''], 'Option data of ottla serve is ""'],
    [['-q', '-v'], '--quiet and --verbose exclude each other'],
    [
      ['--set', 'num.partitons=3'],
      'There is no broker config named "num.partitons". Did you mean num.partitions?',
    ],
    [['--set', 'num.partitions'], '--set is "num.partitions"; expected NAME=VALUE'],
    [['--topic', 'a b'], 'a b'],
    [['--topic', 'a:0'], '--topic is "a:0"; expected NAME or NAME:PARTITIONS'],
    [['--topic', 'a:b'], '--topic is "a:b"; expected NAME or NAME:PARTITIONS'],
    [tls('cert'), '--tls-cert a.pem needs --tls-key'],
    [tls('key'), '--tls-key a.pem needs --tls-cert'],
    [tls('ca'), '--tls-ca a.pem needs --tls-cert and --tls-key'],
    [[...tls('cert', 'key'), '--require-client-certificate'], '--require-client-certificate needs --tls-ca'],
    [tls('cert', 'key'), '--tls-cert is "a.pem"; expected a file that is there'],
    [['--config', 'nowhere.json'], '--config is "nowhere.json"; expected a file that is there'],
    [['./data'], "too many arguments for 'serve'"],
  ])('%j', async (args, message) => {
    const { exitCode, last } = await refusal(...args)
    expect(last).toContain(message)
    expect(exitCode).toBe(2)
  })

  it.each<[string, string]>([
    ['{ "lisen": ["x"] }', 'named "lisen". Did you mean listen?'],
    ['{ "listen": "127.0.0.1:0" }', 'Option listen of FILE is "127.0.0.1:0"; expected a list of texts'],
    ['{ "json": "yes" }', 'Option json of FILE is "yes"; expected true or false'],
    ['{ "storage": "disk" }', 'Option storage of FILE is "disk"; expected one of "level", "file"'],
    ['{ "set": { "num.partitions": null } }', 'Option set of FILE'],
    ['{ "memory": true, "data": "d" }', '--memory and --data d exclude each other'],
    ['{ "data": }', '--config FILE is no JSON'],
    ['[]', '--config FILE holds no object'],
  ])('the config file %s', async (text, message) => {
    const file = join(await tempFolder(), 'ottla.json')
    writeFileSync(file, text)
    const { exitCode, last } = await refusal('--config', file)
    expect(last.replaceAll(file, 'FILE')).toContain(message)
    expect(exitCode).toBe(2)
  })

  it.each(['{ "alice": "secret" ', '["secret"]', '{ "alice": ["secret"] }', '{ "": "secret" }'])(
    'the users %s, of whom nothing is shown',
    async (text) => {
      const file = join(await tempFolder(), 'users.json')
      writeFileSync(file, text)
      const { exitCode, last } = await refusal('--sasl', 'PLAIN', '--sasl-users', file)
      expect(last).toContain('holds no users; expected JSON, an object of passwords by user')
      expect(last).not.toContain('secret')
      expect(exitCode).toBe(2)
    },
  )

  it('wrong usage before it touches a folder', async () => {
    const data = join(await tempFolder(), 'data')
    await refusal('--data', data, '--listen', 'nowhere')
    expect(existsSync(data)).toBe(false)
  })
})

describe('ottla', () => {
  it('prints a help that has every option', async () => {
    const { exitCode, printed, reported } = await run('serve', '--help')
    expect({ exitCode, reported }).toEqual({ exitCode: 0, reported: [] })
    const help = printed.join('\n')
    for (const name of [
      ...['--memory', '--data <dir>', '--storage <kind>', '--durability <kind>', '--listen <host:port>'],
      ...[
        '--advertise <host:port>',
        '--insecure',
        '--tls-cert <file>',
        '--tls-key <file>',
        '--tls-ca <file>',
      ],
      ...['--sasl <mechanism>', '--sasl-users <file>', '--super-user <principal>'],
      ...['--require-client-certificate', '--topic <name[:partitions]>', '--set <name=value>', '--json'],
      ...['-q, --quiet', '-v, --verbose', '--config <file>', 'Examples:'],
    ])
      expect(help).toContain(name)
    expect(help.split('\n').filter((line) => line.length > 110)).toEqual([])
  })

  it('prints its version', async () => {
    expect(await run('--version')).toMatchObject({ exitCode: 0, printed: ['1.2.3'], reported: [] })
  })

  it('without a command, or with one that there is not, says which there are', async () => {
    const { exitCode, printed, reported } = await run()
    expect({ exitCode, printed }).toEqual({ exitCode: 2, printed: [] })
    expect(reported.join('\n')).toMatch(/Commands:\n\s+serve/)
    const unknown = await run('srve')
    expect(unknown.exitCode).toBe(2)
    expect(unknown.reported.at(-1)).toContain("unknown command 'srve' (Did you mean serve?)")
  })
})

describe('what is shown', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const shown = [...readme.matchAll(/^npx ottla (serve [^#\n]*?) *(?:#.*)?$/gm)].map((match) =>
    match[1]!.split(' '),
  )
  const serving = shown.filter((args) => !args.includes('--help'))

  it('is in the README', () => {
    expect(serving.length).toBeGreaterThan(0)
  })

  it.each(serving.map((args) => args.join(' ')))('%s serves', async (command) => {
    const folder = await tempFolder()
    const args = command.split(' ').slice(1)
    await serveHere(args.map((arg) => arg.replace('./data', join(folder, 'data'))))
  })

  it('by the examples of the help has options that there are', async () => {
    const help = (await run('serve', '--help')).printed.join('\n')
    const [options, examples] = help.split('Examples:')
    const named = examples!.match(/--[a-z-]+/g) ?? []
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((name) => !options!.includes(`${name} `))).toEqual([])
  })
})
