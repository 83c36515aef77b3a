/** The Java client as a program that can be asked: what Maven fetches once, and a Java source run over it. */
import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Skipped } from '../support/suite-command.js'
import { has, prepared, type Command } from './process.js'

const folder = fileURLToPath(new URL('java/', import.meta.url))
const JAVA_LIMIT_MS = 120_000

/** The folder with the Java client's jars; fetched by Maven when it is not there. */
const resolveJars = (): string => {
  if (!has('java', '-version')) throw new Skipped('java (a JDK from 17 on) is not on this machine')
  return prepared('kafka-clients-4.3.0', (target) => {
    if (!has('mvn', '-version')) {
      throw new Skipped('mvn (Maven), which fetches the Java client, is not on this machine')
    }
    const pom = join(folder, 'pom.xml')
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${target}`]
    return [{ file: 'mvn', args: ['-q', '-B', '-f', pom, ...copy] }]
  })
}

/**
 * How to call a Java program of java/ over the Java client.
 * @throws Skipped where Java, or what fetches the client, is missing.
 */
export const javaCommand = (program: string): Command => ({
  file: 'java',
  args: ['-cp', [join(resolveJars(), '*')].join(delimiter), join(folder, program)],
})

/**
 * Runs a Java program of java/ over the Java client, and returns the lines that it printed.
 * @throws Skipped where Java is missing.
 */
export const runJava = (program: string, parameters: readonly string[], input = ''): string[] => {
  const { file, args } = javaCommand(program)
  const java = spawnSync(file, [...args, ...parameters], {
    encoding: 'utf8',
    input,
    timeout: JAVA_LIMIT_MS,
    maxBuffer: 2 ** 30,
  })
  if (java.status !== 0) throw new Error(`java ${program} failed: ${java.stderr}`)
  return java.stdout.split('\n').filter((line) => line !== '')
}
