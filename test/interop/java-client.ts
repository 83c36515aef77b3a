/** The Java client as a program that can be asked: what Maven fetches once, and a Java source run over it. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Skipped } from '../support/suite-command.js'

const folder = fileURLToPath(new URL('java/', import.meta.url))
const MAVEN_LIMIT_MS = 300_000
const JAVA_LIMIT_MS = 120_000

const cacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ottla-interop')

const has = (command: string): boolean => spawnSync(command, ['-version'], { stdio: 'ignore' }).status === 0

/** The folder with the Java client's jars; fetched by Maven when it is not there. */
const resolveJars = (): string => {
  const jars = join(cacheFolder(), 'kafka-clients-4.3.0')
  if (existsSync(jars)) return jars
  if (!has('mvn')) throw new Skipped('mvn (Maven), which fetches the Java client, is not on this machine')
  // Fetched beside it and then moved: what was broken off half-way is never taken for the whole.
  const partial = `${jars}.${process.pid}`
  mkdirSync(cacheFolder(), { recursive: true })
  const maven = spawnSync(
    'mvn',
    [
      '-q',
      '-B',
      '-f',
      join(folder, 'pom.xml'),
      'dependency:copy-dependencies',
      `-DoutputDirectory=${partial}`,
    ],
    { encoding: 'utf8', timeout: MAVEN_LIMIT_MS },
  )
  if (maven.status !== 0) {
    rmSync(partial, { recursive: true, force: true })
    throw new Skipped(`Maven cannot fetch the Java client: ${(maven.stdout + maven.stderr).trim()}`)
  }
  renameSync(partial, jars)
  return jars
}

/**
 * Runs a Java program of java/ over the Java client, and returns the lines that it printed.
 * @throws Skipped where Java is missing.
 */
export const runJava = (program: string, parameters: readonly string[], input = ''): string[] => {
  if (!has('java')) throw new Skipped('java (a JDK from 17 on) is not on this machine')
  const classPath = [join(resolveJars(), '*')].join(delimiter)
  const java = spawnSync('java', ['-cp', classPath, join(folder, program), ...parameters], {
    encoding: 'utf8',
    input,
    timeout: JAVA_LIMIT_MS,
    maxBuffer: 2 ** 30,
  })
  if (java.status !== 0) throw new Error(`java ${program} failed: ${java.stderr}`)
  return java.stdout.split('\n').filter((line) => line !== '')
}
