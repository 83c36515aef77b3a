/** The Java client as a program that can be asked: what Maven fetches once, and a Java source run over it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Skipped } from '../support/suite-command.js'
import { has, prepared, type Command } from './process.js'

const folder = fileURLToPath(new URL('java/', import.meta.url))
const JAVA_LIMIT_MS = 120_000

/** The folder with the jars that a pom.xml names; fetched by Maven when it is not there. */
const jarsOf = (name: string, pom: string): string => {
  if (!has('java', '-version')) throw new Skipped('java (a JDK from 17 on) is not on this machine')
  return prepared(name, (target) => {
    if (!has('mvn', '-version')) {
      throw new Skipped(`mvn (Maven), which fetches ${name}, is not on this machine`)
    }
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${target}`]
    return [{ file: 'mvn', args: ['-q', '-B', '-f', join(folder, pom), ...copy] }]
  })
}

/**
 * How to call a Java program of java/ over the Java client.
 * @throws Skipped where Java, or what fetches the client, is missing.
 */
export const javaCommand = (program: string): Command => ({
  file: 'java',
  args: ['-cp', join(jarsOf('kafka-clients-4.3.0', 'pom.xml'), '*'), join(folder, program)],
})

/**
 * How to call one of Apache Kafka's own tools, by the name of its class: within org.apache.kafka.tools, or whole.
 * @throws Skipped where Java, or what fetches the tools, is missing.
 */
export const toolCommand = (name: string): Command => ({
  file: 'java',
  // Most of their time is their start: it is over sooner without the second compiler.
  args: [
    ...['-XX:TieredStopAtLevel=1', '-cp', join(jarsOf('kafka-4.3.0', 'tools/pom.xml'), '*')],
    name.startsWith('kafka.') ? name : `org.apache.kafka.tools.${name}`,
  ],
})

/**
 * How to call a main class of Apache Kafka's broker, with at most 512 MiB.
 * @throws Skipped where Java, or what fetches the broker, is missing.
 */
export const brokerCommand = (mainClass: string): Command => ({
  file: 'java',
  args: [
    ...['-Xmx512m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'],
    ...['-cp', join(jarsOf('kafka-broker-4.3.0', 'broker/pom.xml'), '*'), mainClass],
  ],
})

/**
 * How to call the word count of Kafka Streams' examples.
 * @throws Skipped where Java, or what fetches it, is missing.
 */
export const streamsCommand = (): Command => ({
  file: 'java',
  args: [
    ...['-XX:TieredStopAtLevel=1', '-cp', join(jarsOf('kafka-streams-4.3.0', 'streams/pom.xml'), '*')],
    'org.apache.kafka.streams.examples.wordcount.WordCountDemo',
  ],
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
