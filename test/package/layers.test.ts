/** The lint rules that hold the layers and the seams are there, know every folder, and refuse what they should. */
import { readdirSync } from 'node:fs'
import { ESLint } from 'eslint'
import { beforeAll, describe, expect, it } from 'vitest'
import { listOf, rootFile } from './repository.js'

/** Bottom first, as ARCHITECTURE.md has them. Written out here: the lint configuration must not define what it checks. */
const LAYERS = ['runtime', 'record', 'protocol', 'storage', 'log', 'broker', 'network', 'clients', 'cli']

let eslint: ESLint

beforeAll(() => {
  eslint = new ESLint({
    cwd: rootFile('.'),
    // Types are not needed for these rules, and a file that is not on the disk has none.
    overrideConfig: { languageOptions: { parserOptions: { projectService: false, program: null } } },
    ruleFilter: ({ ruleId }) => ruleId.startsWith('no-restricted-'),
  })
})

const refusals = async (path: string, text: string): Promise<string[]> => {
  const [result] = await eslint.lintText(text, { filePath: rootFile(path) })
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message)
}

describe('the layers', () => {
  it('are all of the folders in src', () => {
    const folders = readdirSync(rootFile('src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
    expect(listOf(folders)).toEqual(listOf(LAYERS))
  })

  const upward = LAYERS.flatMap((layer, index) =>
    LAYERS.slice(index + 1).map((above) => [layer, above] as const),
  )

  it.each(upward)('%s may not import %s', async (layer, above) => {
    const text = `import { anything } from '../${above}/anything.js'\nanything()\n`
    expect(await refusals(`src/${layer}/virtual.ts`, text)).toEqual(['no-restricted-imports'])
    const deeper = `import { anything } from '../../${above}/deep/anything.js'\nanything()\n`
    expect(await refusals(`src/${layer}/deep/virtual.ts`, deeper)).toEqual(['no-restricted-imports'])
  })

  it.each(['storage', 'log', 'broker', 'network'])('clients may not import %s either', async (beside) => {
    const text = `import { anything } from '../${beside}/anything.js'\nanything()\n`
    expect(await refusals('src/clients/virtual.ts', text)).toEqual(['no-restricted-imports'])
  })

  it.each(LAYERS.filter((layer) => layer !== 'runtime' && layer !== 'cli'))(
    'cli may not import %s, it uses the package by its name',
    async (beneath) => {
      const text = `import { anything } from '../${beneath}/anything.js'\nanything()\n`
      expect(await refusals('src/cli/virtual.ts', text)).toEqual(['no-restricted-imports'])
    },
  )

  it.each(['ottla', 'ottla/storage/file'])('%s is for cli alone to import', async (specifier) => {
    const text = `import { anything } from '${specifier}'\nanything()\n`
    expect(await refusals('src/cli/virtual.ts', text)).toEqual([])
    for (const layer of LAYERS.filter((name) => name !== 'cli'))
      expect(await refusals(`src/${layer}/virtual.ts`, text), layer).toEqual(['no-restricted-imports'])
  })

  /** Who may not import all that is below it. */
  const ONLY: Readonly<Record<string, readonly string[]>> = {
    clients: ['runtime', 'record', 'protocol'],
    cli: ['runtime'],
  }
  const downward = LAYERS.flatMap((layer, index) =>
    LAYERS.slice(0, index)
      .filter((below) => ONLY[layer]?.includes(below) ?? true)
      .map((below) => [layer, below] as const),
  )

  it.each(downward)('%s may import %s', async (layer, below) => {
    const text = `import { anything } from '../${below}/anything.js'\nanything()\n`
    expect(await refusals(`src/${layer}/virtual.ts`, text)).toEqual([])
  })
})

describe('the seams', () => {
  it.each(LAYERS)('%s may not ask the platform', async (layer) => {
    const path = `src/${layer}/virtual.ts`
    expect(await refusals(path, 'export const now = Date.now()\n')).toEqual(['no-restricted-properties'])
    expect(await refusals(path, 'export const chance = Math.random()\n')).toEqual([
      'no-restricted-properties',
    ])
    for (const name of [
      'setTimeout',
      'setInterval',
      'setImmediate',
      'performance',
      'process',
      'crypto',
      'Buffer',
    ]) {
      expect(await refusals(path, `export const seam = ${name}\n`), name).toEqual(['no-restricted-globals'])
    }
    expect(await refusals(path, "import { readFile } from 'node:fs'\nexport { readFile }\n")).toEqual([
      'no-restricted-imports',
    ])
    expect(await refusals(path, "import { connect } from 'node:net'\nexport { connect }\n")).toEqual([
      'no-restricted-imports',
    ])
  })

  it('let the files through that are the seams', async () => {
    expect(await refusals('src/runtime/clock.ts', 'export const now = Date.now()\n')).toEqual([])
    expect(await refusals('src/runtime/random.ts', 'export const chance = Math.random()\n')).toEqual([])
    expect(
      await refusals(
        'src/runtime/node/virtual.ts',
        "import { readFile } from 'node:fs'\nexport { readFile }\n",
      ),
    ).toEqual([])
  })
})
