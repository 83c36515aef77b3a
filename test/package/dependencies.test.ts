/** What a user of the package installs with it. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { listOf, readJson, rootFile } from './repository.js'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly sideEffects?: boolean
  readonly engines: { readonly node: string }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly scripts: Readonly<Record<string, string>>
}
interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly peer?: boolean; readonly hasInstallScript?: boolean }>
  >
}

const manifest = readJson('package.json') as Manifest
const lockfile = readJson('package-lock.json') as Lockfile

/** The command: a program over the package, not part of what is imported with it. */
const COMMAND = 'src/cli/'

/** Every import of a package in src, static or dynamic; relative ones and Node's own left out. */
const importsOfSources = (): { file: string; specifier: string }[] =>
  readdirSync(rootFile('src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => {
      const text = readFileSync(rootFile(`src/${path}`), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
      const found = [...text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*['"]([^'".][^'"]*)['"]/gm)]
      return found.map((match) => ({ file: `src/${path}`, specifier: match[1]! }))
    })
    .filter(({ specifier }) => !specifier.startsWith('node:'))

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

describe('dependencies', () => {
  it('are the three of the core, and no more', () => {
    expect(listOf(Object.keys(manifest.dependencies ?? {}))).toEqual([
      'abstract-level',
      'classic-level',
      'eventemitter3',
    ])
    expect(manifest.optionalDependencies ?? {}).toEqual({})
  })

  it('that are peers are all optional', () => {
    const peers = listOf(Object.keys(manifest.peerDependencies ?? {}))
    const optional = Object.entries(manifest.peerDependenciesMeta ?? {}).filter(([, meta]) => meta.optional)
    expect(listOf(optional.map(([name]) => name))).toEqual(peers)
  })

  it('cover everything that the sources import', () => {
    const declared = new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ])
    const imports = importsOfSources().filter(({ file }) => !file.startsWith(COMMAND))
    const undeclared = imports.filter(({ specifier }) => !declared.has(packageOf(specifier)))
    expect(undeclared).toEqual([])
    const unused = Object.keys(manifest.dependencies ?? {}).filter(
      (name) => !imports.some(({ specifier }) => packageOf(specifier) === name),
    )
    expect(unused).toEqual([])
  })

  it('of the command are the package itself, and what is built into it', async () => {
    const imports = importsOfSources().filter(({ file }) => file.startsWith(COMMAND))
    const names = [...new Set(imports.map(({ specifier }) => packageOf(specifier)))]
    const {
      default: [, command],
    } = (await import('../../tsup.config.js')) as { default: readonly [unknown, { noExternal: string[] }] }
    expect(listOf(names)).toEqual(listOf(['ottla', ...command.noExternal]))
    for (const name of command.noExternal) {
      expect(manifest.devDependencies).toHaveProperty(name)
      expect(manifest.dependencies).not.toHaveProperty(name)
    }
  })

  it('run no install script that a fresh machine could not: only classic-level has one, with its binaries in it', () => {
    const withScript = Object.entries(lockfile.packages)
      .filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true)
      .map(([path]) => path)
    expect(withScript).toEqual(['node_modules/classic-level'])
  })
})

describe('scripts', () => {
  const texts = Object.values(manifest.scripts).join('\n')

  it.each(['prettier', 'eslint', 'tsc', 'knip', 'vitest', 'publint', 'attw', 'typedoc', 'tsup'])(
    'call %s: a tool that none calls checks nothing',
    (tool) => {
      expect(texts).toMatch(new RegExp(`(?:^|\\s)${tool}(?:\\s|$)`, 'm'))
    },
  )

  it('name scripts that exist', () => {
    const named = [...texts.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map((match) => match[1]!)
    expect(named.filter((name) => !(name in manifest.scripts))).toEqual([])
  })
})
