/** The places that name the package's entry points, and its command, say the same. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import vitest from '../../vitest.config.js'
import { listOf, readJson, rootFile } from './repository.js'

interface Conditions {
  readonly types: string
  readonly default: string
}
interface Manifest {
  readonly main: string
  readonly module: string
  readonly types: string
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<
    Record<string, string | { readonly import: Conditions; readonly require: Conditions }>
  >
}

const manifest = readJson('package.json') as Manifest
const tsconfig = readJson('tsconfig.json') as { compilerOptions: { paths: Record<string, [string]> } }
const typedoc = readJson('typedoc.json') as { entryPoints: string[] }
const {
  default: [library, command],
} = (await import('../../tsup.config.js')) as {
  default: readonly [{ entry: Record<string, string> }, { entry: Record<string, string>; format: string[] }]
}

/** `ottla/storage/memory` of `storage/memory`, and `ottla` of `index`. */
const specifierOf = (entry: string): string => (entry === 'index' ? 'ottla' : `ottla/${entry}`)

const built = Object.entries(library.entry).map(([entry, source]) => ({
  entry,
  source,
  specifier: specifierOf(entry),
}))

describe('the entry points', () => {
  it('are built from sources that exist', () => {
    expect(built.length).toBeGreaterThan(0)
    for (const { source } of built) expect(existsSync(rootFile(source)), source).toBe(true)
  })

  it('are exported one by one, for import and require, each with its own types', () => {
    const exported = Object.fromEntries(
      built.map(({ entry, specifier }) => [
        specifier === 'ottla' ? '.' : specifier.replace('ottla', '.'),
        {
          import: { types: `./dist/${entry}.d.ts`, default: `./dist/${entry}.js` },
          require: { types: `./dist/${entry}.d.cts`, default: `./dist/${entry}.cjs` },
        },
      ]),
    )
    expect(manifest.exports).toEqual({ ...exported, './package.json': './package.json' })
  })

  it('put the types first: the first condition that fits is taken', () => {
    for (const conditions of Object.values(manifest.exports)) {
      if (typeof conditions === 'string') continue
      expect(Object.keys(conditions.import)).toEqual(['types', 'default'])
      expect(Object.keys(conditions.require)).toEqual(['types', 'default'])
    }
  })

  it('have the old fields agree with them', () => {
    expect([manifest.main, manifest.module, manifest.types]).toEqual([
      './dist/index.cjs',
      './dist/index.js',
      './dist/index.d.ts',
    ])
  })

  it('are known to TypeScript under their public names', () => {
    const expected = Object.fromEntries(built.map(({ source, specifier }) => [specifier, [`./${source}`]]))
    expect(tsconfig.compilerOptions.paths).toEqual(expected)
  })

  it('are documented, all of them', () => {
    expect(listOf(typedoc.entryPoints)).toEqual(listOf(built.map(({ source }) => source)))
  })

  it('are what the tests run: their sources, under the public names', () => {
    const aliases = vitest.resolve?.alias as readonly { find: RegExp; replacement: string }[]
    const resolved = built.map(({ specifier }) => {
      const alias = aliases.find(({ find }) => find.test(specifier))
      return alias === undefined ? undefined : specifier.replace(alias.find, alias.replacement)
    })
    expect(resolved).toEqual(built.map(({ source }) => rootFile(source)))
  })
})

describe('the command', () => {
  it('is built from a source that is there, and that the system can start', () => {
    expect(command).toMatchObject({ entry: { cli: 'src/cli/main.ts' }, format: ['esm'] })
    expect(readFileSync(rootFile('src/cli/main.ts'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  it('is what the package calls ottla', () => {
    expect(manifest.bin).toEqual({ ottla: './dist/cli.js' })
  })
})
