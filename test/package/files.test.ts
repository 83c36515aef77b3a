/** What is kept in the repository works on any machine: nothing in it names one, or a place to download from. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { readJson, rootFile, trackedFiles } from './repository.js'

interface Lockfile {
  readonly packages: Readonly<
    Record<
      string,
      { readonly resolved?: string; readonly optionalDependencies?: Readonly<Record<string, string>> }
    >
  >
}

/** Paths that only exist on somebody's machine; `/tmp` and `/usr` are everybody's. */
const machinePath = /(?:^|[\s"'`(=:])(?:\/(?:home|root|Users|work|mnt|workspace)\/|[A-Z]:\\)[^\s"'`)]*/m
/** What a registry's tarball address looks like, whoever runs the registry. */
const registryAddress = /https?:\/\/[^\s"']*\/-\/[^\s"']*\.tgz|"?registry"?\s*[=:]\s*"?https?:/

const tracked = trackedFiles()

describe.skipIf(tracked === undefined)('the tracked files', () => {
  const texts = (tracked ?? [])
    .map((path) => ({ path, bytes: readFileSync(rootFile(path)) }))
    .filter(({ bytes }) => !bytes.includes(0))
    .map(({ path, bytes }) => ({ path, text: bytes.toString('utf8') }))

  it('name no path of a machine', () => {
    const home = homedir()
    const named = texts
      .filter(({ path }) => path !== 'test/package/files.test.ts')
      .filter(({ text }) => machinePath.test(text) || (home.length > 5 && text.includes(home)))
    expect(named.map(({ path }) => path)).toEqual([])
  })

  it('name no address of a package registry', () => {
    const named = texts
      .filter(({ path }) => path !== 'test/package/files.test.ts')
      .filter(({ text }) => registryAddress.test(text))
    expect(named.map(({ path }) => path)).toEqual([])
  })

  it('would be found out', () => {
    expect('cache in /home/someone/data').toMatch(machinePath)
    expect('"resolved": "https://registry.example.org/a/-/a-1.0.0.tgz"').toMatch(registryAddress)
    expect('registry=https://registry.example.org').toMatch(registryAddress)
    expect('see https://example.org/docs and /tmp/ottla').not.toMatch(machinePath)
    expect('see https://example.org/docs and /tmp/ottla').not.toMatch(registryAddress)
  })

  it('leave out what is made from them', () => {
    const made = /(?:^|\/)(?:node_modules|dist|coverage)\/|\.tgz$|\.tsbuildinfo$/
    expect(tracked?.filter((path) => made.test(path))).toEqual([])
  })
})

describe.each(['package-lock.json', 'benchmarks/package-lock.json'])('%s', (path) => {
  it('says what, not from where: the registry is everyone’s own choice', () => {
    const { packages } = readJson(path) as Lockfile
    expect(Object.keys(packages).length).toBeGreaterThan(1)
    const withAddress = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)
    expect(withAddress.map(([name]) => name)).toEqual([])
  })

  it('has the packages of every platform: without one, npm ci refuses', () => {
    const { packages } = readJson(path) as Lockfile
    const places = Object.keys(packages)
    const missing = Object.entries(packages).flatMap(([from, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => {
        // Where Node looks for it from there, innermost first.
        const folders = from
          .split(/(?=\/?node_modules\/)/)
          .map((_, index, all) => all.slice(0, index + 1).join(''))
        return !['', ...folders].some((folder) =>
          places.includes(`${folder === '' ? '' : `${folder}/`}node_modules/${name}`),
        )
      }),
    )
    expect(missing).toEqual([])
  })
})
