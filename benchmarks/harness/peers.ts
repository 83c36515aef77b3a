/**
 * The peers: other people's software that Ottla is measured against. They have a package.json of their own, in
 * benchmarks/, and are installed when a benchmark first needs them, so that working on Ottla needs no compiler.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { SubjectUnavailable } from './benchmark.js'

const folder = new URL('../', import.meta.url)
const require = createRequire(new URL('package.json', folder))

let installing = true
let failure: string | undefined

/** With false, a peer that is not installed already is left out. */
export const allowInstalling = (allowed: boolean): void => {
  installing = allowed
}

/** Whether what is not there may be fetched now. */
export const isInstallingAllowed = (): boolean => installing

const install = (): void => {
  if (failure !== undefined) return
  process.stderr.write('Installing the peers of the benchmarks (once; may compile for a minute or two) ...\n')
  // npm's own words go to stderr: stdout may be carrying JSON.
  const result = spawnSync(
    'npm',
    ['ci', '--prefix', fileURLToPath(folder), '--no-audit', '--no-fund', '--loglevel', 'error'],
    { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' },
  )
  failure = result.status === 0 ? '' : (result.error?.message ?? `npm ci ended with ${result.status}`)
  // What did not install must not be taken for installed the next time.
  if (failure !== '') rmSync(new URL('node_modules', folder), { recursive: true, force: true })
}

/**
 * Loads the peer `name`, installing all peers first where that is allowed and needed.
 * @throws SubjectUnavailable where it cannot be had.
 */
export const loadPeer = (name: string): unknown => {
  const isInstalled = (): boolean => existsSync(new URL(`node_modules/${name}/package.json`, folder))
  if (!isInstalled()) {
    if (!installing) {
      throw new SubjectUnavailable(`${name} is not installed (npm ci --prefix benchmarks installs it)`)
    }
    install()
    if (!isInstalled()) {
      throw new SubjectUnavailable(`${name} could not be installed: ${failure ?? 'unknown reason'}`)
    }
  }
  try {
    return require(name)
  } catch (error) {
    throw new SubjectUnavailable(`${name} does not load: ${error instanceof Error ? error.message : ''}`)
  }
}
