/**
 * `npm run test:packed`: the package as it would be published, installed into an empty project, and used from there
 * by an ESM, a CommonJS and two TypeScript programs and as a command; and what it brings along. Needs a built dist.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { metadata } from '../../src/protocol/api/metadata.js'
import { WireClient } from '../support/wire-client.js'
import { runSuites, type Suite } from '../support/suite-command.js'
import { readJson, rootFile } from './repository.js'

const CORE = ['abstract-level', 'classic-level', 'eventemitter3']

/** What every program does, in the words of each module system. */
const body = `
const main = async () => {
  const ottla = await Ottla.open('./data-' + process.argv[2])
  const topic = await ottla.createTopic('orders', { partitions: 2, key: string, value: json() })
  const producer = ottla.producer()
  await producer.send(topic, [
    { key: 'a', value: { total: 40 } },
    { key: 'b', value: { total: 2 } },
  ])
  const consumer = await ottla.consumerGroup('billing', { topics: [topic] }).join()
  let sum = 0
  let count = 0
  for await (const message of consumer) {
    sum += message.value.total
    if (++count === 2) break
  }
  await ottla.close()
  console.log('sum', sum)
}
`

const programs = {
  'program.mjs': `import { Ottla, json, string } from 'ottla'\n${body}\nawait main()\n`,
  'program.cjs': `const { Ottla, json, string } = require('ottla')\n${body}\nmain()\n`,
  'program.ts': `import { Ottla, json, string } from 'ottla'
import type { LogStorage } from 'ottla/storage/test-suite'
import { MemoryStorage } from 'ottla/storage/memory'
import { levelStorage } from 'ottla/storage/level'

export const storages: LogStorage[] = [new MemoryStorage(), levelStorage('./elsewhere')]
${body.replace('json()', 'json<{ total: number }>()')}
void main()
`,
}

const run = (folder: string, command: string, parameters: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const { NODE_OPTIONS: _dropped, ...inherited } = process.env
  try {
    return execFileSync(command, parameters, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${parameters.join(' ')}\n${stdout ?? ''}${stderr ?? ''}`, { cause: error })
  }
}

const expectSum = (output: string): void => {
  if (output.trim() !== 'sum 42') throw new Error(`printed '${output.trim()}' instead of 'sum 42'`)
}

/** The names of the packages below node_modules of `folder`. */
const installedPackages = async (folder: string): Promise<string[]> => {
  const names: string[] = []
  for (const name of await readdir(join(folder, 'node_modules'))) {
    if (name.startsWith('.')) continue
    if (!name.startsWith('@')) names.push(name)
    else for (const inner of await readdir(join(folder, 'node_modules', name))) names.push(`${name}/${inner}`)
  }
  return names.sort()
}

/** What the three and their own dependencies come to, as the lockfile of this repository has it. */
const coreClosure = (): string[] => {
  const { packages } = readJson('package-lock.json') as {
    packages: Record<string, { dependencies?: Record<string, string> }>
  }
  const closure = new Set<string>()
  const add = (name: string): void => {
    if (closure.has(name)) return
    closure.add(name)
    Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}).forEach(add)
  }
  CORE.forEach(add)
  return [...closure].sort()
}

/** Which packages a program evaluates anything of: what V8's coverage lists, however it was loaded. */
const packagesLoadedBy = async (folder: string, parameters: readonly string[]): Promise<string[]> => {
  const coverage = join(folder, 'coverage')
  await rm(coverage, { recursive: true, force: true })
  run(folder, process.execPath, parameters, { NODE_V8_COVERAGE: coverage })
  const packages = new Set<string>()
  for (const name of await readdir(coverage)) {
    const { result } = JSON.parse(await readFile(join(coverage, name), 'utf8')) as {
      result: { url: string }[]
    }
    for (const { url } of result) {
      if (!url.startsWith('file:')) continue
      const parts = relative(folder, fileURLToPath(url)).split(sep)
      if (parts[0] !== 'node_modules') continue
      packages.add(parts[1]!.startsWith('@') ? `${parts[1]}/${parts[2]}` : parts[1]!)
    }
  }
  return [...packages].sort()
}

const expectOnly = (found: readonly string[], allowed: readonly string[]): void => {
  const beyond = found.filter((name) => !allowed.includes(name))
  if (beyond.length > 0) throw new Error(`beyond the core's dependencies: ${beyond.join(', ')}`)
}

const compile = async (folder: string, name: string, options: object): Promise<void> => {
  await writeFile(
    join(folder, `${name}.json`),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        target: 'ES2022',
        lib: ['ES2022', 'ESNext.Disposable'],
        types: ['node'],
        typeRoots: [rootFile('node_modules/@types')],
        outDir: name,
        ...options,
      },
      files: ['program.ts'],
    }),
  )
  run(folder, process.execPath, [rootFile('node_modules/typescript/bin/tsc'), '-p', `${name}.json`])
}

/** Starts the installed command, asks it for its topics, and stops it. */
const expectServed = async (folder: string): Promise<string> => {
  // The command itself: npx has no console of its own here that would pass a signal on.
  const command = join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'ottla.cmd' : 'ottla')
  const child = spawn(command, ['serve', '--memory', '--listen', '127.0.0.1:0', '--topic', 'orders:3'], {
    cwd: folder,
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  })
  const ended = once(child, 'close')
  const [ready] = (await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data'),
    ended.then(() => ['nothing, and ended']),
  ])) as [string]
  const port = Number(/^ready PLAINTEXT:\/\/127\.0\.0\.1:(\d+)\n$/.exec(ready)?.[1])
  if (!Number.isInteger(port)) throw new Error(`printed ${ready}`)
  const client = await WireClient.connect(port)
  const { topics } = await client.call(metadata, 9, {
    topics: null,
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
    includeClusterAuthorizedOperations: false,
  })
  client.close()
  const [orders] = topics
  if (orders?.name !== 'orders' || orders.partitions.length !== 3)
    throw new Error(`has ${JSON.stringify(topics)}`)
  child.kill('SIGTERM')
  const [code] = (await ended) as [number | null]
  if (process.platform !== 'win32' && code !== 0) throw new Error(`ended with ${code}`)
  return ready.trim()
}

const packed: Suite = {
  name: 'packed',
  summary: 'the package as it would be published, in an empty project',
  defaultRounds: 1,
  async run({ check }) {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'ottla-packed-')))
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'
    try {
      const installed = await check('packs, and installs into an empty project', async () => {
        const output = run(rootFile('.'), npm, [
          'pack',
          '--json',
          '--ignore-scripts',
          '--pack-destination',
          folder,
        ])
        const [tarball] = JSON.parse(output) as {
          filename: string
          unpackedSize: number
          entryCount: number
        }[]
        if (tarball === undefined) throw new Error('npm pack made nothing')
        await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
        run(folder, npm, ['install', '--no-audit', '--no-fund', join(folder, tarball.filename)])
        for (const [name, text] of Object.entries(programs)) await writeFile(join(folder, name), text)
        return `${tarball.entryCount} files, ${Math.round(tarball.unpackedSize / 1024)} KiB unpacked`
      })
      if (!installed) return

      await check('brings along the three dependencies and theirs, nothing else', async () => {
        const names = await installedPackages(folder)
        expectOnly(names, ['ottla', ...coreClosure()])
        return `${names.length - 1} packages`
      })
      await check('ESM', () => expectSum(run(folder, process.execPath, ['program.mjs', 'esm'])))
      await check('CommonJS', () => expectSum(run(folder, process.execPath, ['program.cjs', 'cjs'])))
      for (const program of ['program.mjs', 'program.cjs']) {
        await check(`${program}: the import graph stays within the three and theirs`, async () => {
          const loaded = await packagesLoadedBy(folder, [program, `graph-${program}`])
          if (!loaded.includes('ottla')) throw new Error('the graph was not seen')
          expectOnly(loaded, ['ottla', ...coreClosure()])
          return loaded.join(', ')
        })
      }
      await check('an import alone loads no storage engine', async () => {
        const loaded = await packagesLoadedBy(folder, [
          '--input-type=module',
          '--eval',
          "await import('ottla')",
        ])
        expectOnly(loaded, ['ottla', 'abstract-level', 'eventemitter3'])
        return loaded.join(', ')
      })
      await check('npx ottla --help', () => {
        const help = run(folder, npx, ['ottla', 'serve', '--help'])
        if (!help.includes('--listen <host:port>')) throw new Error(`printed ${help}`)
      })
      await check('npx ottla serve answers Kafka clients, and stops', () => expectServed(folder))
      await check('TypeScript, moduleResolution node16, as ESM', async () => {
        await compile(folder, 'node16', { module: 'node16', moduleResolution: 'node16' })
        expectSum(run(folder, process.execPath, ['node16/program.js', 'node16']))
      })
      await check('TypeScript, moduleResolution node16, as CommonJS', async () => {
        const inner = join(folder, 'commonjs')
        await mkdir(inner)
        await writeFile(join(inner, 'package.json'), '{ "type": "commonjs" }\n')
        await writeFile(join(inner, 'program.ts'), programs['program.ts'])
        await compile(inner, 'out', { module: 'node16', moduleResolution: 'node16' })
        expectSum(run(inner, process.execPath, ['out/program.js', 'node16-cjs']))
      })
      await check('TypeScript, moduleResolution bundler', async () => {
        await compile(folder, 'bundler', { module: 'esnext', moduleResolution: 'bundler' })
        expectSum(run(folder, process.execPath, ['bundler/program.js', 'bundler']))
      })
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  },
}

await runSuites('test:packed', [packed])
