/** `cold-start`: what `import 'ottla'` costs a process that did nothing before, and what opening a log costs it. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { defineBenchmark, SubjectUnavailable, type ReadySubject } from './harness/benchmark.js'
import { median } from './harness/measure.js'
import { ottlaEntry } from './harness/ottla.js'
import { withTempFolder } from './harness/temp-folder.js'

interface Settings extends Record<string, number> {
  readonly processes: number
}

const child = (program: string, environment: Readonly<Record<string, string>> = {}): string => {
  // Options meant for this process (loaders, inspectors) would be paid for by the child.
  const { NODE_OPTIONS: _dropped, ...inherited } = process.env
  const result = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { ...inherited, ...environment },
  })
  if (result.status !== 0) throw new Error(`the measured process failed: ${result.stderr}`)
  return result.stdout
}

/** Every script of a file that a process evaluated, whatever way it was loaded: what V8's coverage lists. */
const modulesLoadedBy = (program: string): Promise<number> =>
  withTempFolder(async (folder) => {
    child(program, { NODE_V8_COVERAGE: folder })
    const urls = new Set<string>()
    for (const name of await readdir(folder)) {
      const { result } = JSON.parse(await readFile(join(folder, name), 'utf8')) as {
        result: { url: string }[]
      }
      for (const { url } of result) if (url.startsWith('file:')) urls.add(url)
    }
    return urls.size
  })

const importing = (entry: string): string => `
  const start = performance.now()
  await import(${JSON.stringify(entry)})
  console.log(performance.now() - start)`

const opening = (entry: string): string => `
  const { Ottla } = await import(${JSON.stringify(entry)})
  const start = performance.now()
  const ottla = await Ottla.open()
  console.log(performance.now() - start)
  await ottla.close()`

const medianOf = (processes: number, program: string): number =>
  median(Array.from({ length: processes }, () => Number(child(program))))

const prepareOttla = async ({ processes }: Settings): Promise<ReadySubject> => {
  if (!existsSync(ottlaEntry)) throw new SubjectUnavailable('dist is missing: npm run build makes it')
  const modules = await modulesLoadedBy(importing(ottlaEntry.href))
  return {
    sample: async () => ({
      import: medianOf(processes, importing(ottlaEntry.href)),
      open: medianOf(processes, opening(ottlaEntry.href)),
      modules,
    }),
  }
}

const prepareClassicLevel = async ({ processes }: Settings): Promise<ReadySubject> => {
  const entry = pathToFileURL(createRequire(import.meta.url).resolve('classic-level')).href
  const modules = await modulesLoadedBy(importing(entry))
  return { sample: async () => ({ import: medianOf(processes, importing(entry)), modules }) }
}

export const coldStart = defineBenchmark<Settings>({
  name: 'cold-start',
  summary: "a fresh process: import 'ottla', then Ottla.open() in memory",
  units: { import: 'ms', open: 'ms', modules: 'files' },
  settings: (smoke) => ({ processes: smoke ? 1 : 5 }),
  subjects: [
    { name: 'ottla', summary: 'the built package', prepare: prepareOttla },
    {
      name: 'classic-level',
      summary: 'LevelDB alone, which Ottla loads only for a folder',
      prepare: prepareClassicLevel,
    },
  ],
  ratios: [],
})
