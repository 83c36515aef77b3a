/**
 * The pages that say where each thing of Kafka is here, held against Kafka's own lists of names (fixtures, as its Java
 * client printed them) and against what they name: options, methods, files and tests.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Admin } from '../../src/clients/admin/admin.js'
import { checkConsumerOptions, checkGroupOptions } from '../../src/clients/consumer/consumer-options.js'
import { Consumer } from '../../src/clients/consumer/consumer.js'
import { ConsumerGroup } from '../../src/clients/group/consumer-group.js'
import { checkProducerOptions } from '../../src/clients/producer/producer-options.js'
import { Producer } from '../../src/clients/producer/producer.js'
import { Topic } from '../../src/clients/topic.js'
import { checkListenerOptions } from '../../src/network/listener/listener-options.js'
import { checkOpenOptions } from '../../src/ottla-options.js'
import { Ottla } from '../../src/ottla.js'
import { OttlaError } from '../../src/runtime/errors/ottla-error.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')
const namesOf = (list: string): string[] =>
  read(`test/fixtures/kafka-names/${list}.txt`)
    .split('\n')
    .filter((line) => line !== '')

interface Row {
  readonly name: string
  readonly here: string
  readonly why: string
}

/** The rows of the table under the heading `## heading`. */
const tableIn = (page: string, heading: string): Row[] => {
  const section = read(page).split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) => {
    const [name = '', here = '', why = ''] = line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1)
    return { name: name.replaceAll('`', ''), here, why }
  })
}

/** What stands between backticks. */
const quotedIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '')

/** Whether these rules know the option: what is wrong with a symbol is its value, not its name. */
const knows = (check: (options: object) => unknown, option: string): boolean => {
  try {
    check({ [option]: Symbol(option) })
    return true
  } catch (error) {
    return !OttlaError.is(error, 'UNKNOWN_OPTION')
  }
}

/** The options by the interface that has them. */
const OPTIONS: Readonly<Record<string, (options: object) => unknown>> = {
  ProducerOptions: (options) => checkProducerOptions(options),
  ConsumerOptions: (options) => checkConsumerOptions({ assign: [], ...options }),
  GroupConsumerOptions: (options) => checkGroupOptions(options),
  ListenerOptions: (options) => checkListenerOptions(options),
  OttlaOptions: (options) => checkOpenOptions(options, undefined),
}

const CLASSES: Readonly<Record<string, { readonly prototype: object }>> = {
  Admin,
  Consumer,
  ConsumerGroup,
  Ottla,
  Producer,
  Topic,
}

/** Where a property, which no prototype has, is declared. */
const SOURCES: Readonly<Record<string, string>> = {
  ConsumerGroup: 'src/clients/group/consumer-group.ts',
  CreateTopicOptions: 'src/ottla-options.ts',
  Ottla: 'src/ottla.ts',
}

/** Whether there is what a page names: `Owner.member` or `Owner.member()`. */
const exists = (token: string): boolean => {
  const [owner = '', member = ''] = token.replace('()', '').split('.')
  const check = OPTIONS[owner]
  if (check !== undefined) return knows(check, member)
  if (token.endsWith('()')) {
    const { prototype } = CLASSES[owner] ?? { prototype: {} }
    return member in prototype || (owner === 'Ottla' && member in Ottla)
  }
  return new RegExp(`^ {2}readonly ${member}\\??: `, 'm').test(read(SOURCES[owner] ?? 'package.json'))
}

const isMember = (token: string): boolean => /^[A-Z]\w+\.\w+(\(\))?$/.test(token)
const isPath = (token: string): boolean => /^(src|test)\//.test(token)

const checkRow = ({ name, here, why }: Row): void => {
  expect(why, `${name} has a reason, or a test`).not.toBe('')
  for (const token of [...quotedIn(here), ...quotedIn(why)]) {
    if (isMember(token)) expect(exists(token), `${name}: ${token} exists`).toBe(true)
    if (isPath(token)) expect(existsSync(`${root}${token}`), `${name}: ${token} exists`).toBe(true)
  }
  if (here === 'not yet' || here === '—') return
  const members = quotedIn(here)
  expect(members.length, `${name} is somewhere`).toBeGreaterThan(0)
  expect(
    members.filter((token) => !isMember(token)),
    name,
  ).toEqual([])
  const tests = quotedIn(why).filter(isPath)
  expect(tests.length, `${name} has a test`).toBeGreaterThan(0)
  // At least the first of them is in the test, by its name.
  const member = members.map((token) => token.split('.')[1]?.replace('()', '') ?? '')
  const isTested = tests.some((path) => member.some((one) => new RegExp(`\\b${one}\\b`).test(read(path))))
  expect(isTested, `${tests.join()} has ${member.join(' or ')}`).toBe(true)
}

const holds = (page: string, heading: string, names: readonly string[]): void => {
  const rows = tableIn(page, heading)
  expect(rows.map(({ name }) => name).sort()).toEqual([...names].sort())
  for (const row of rows) checkRow(row)
}

describe("Kafka's client configs", () => {
  const page = 'docs/kafka-configs.md'
  const [producer, consumer, admin] = ['producer', 'consumer', 'admin'].map((client) =>
    namesOf(`${client}-configs`),
  ) as [string[], string[], string[]]
  const all = producer.filter((name) => consumer.includes(name) && admin.includes(name))
  const own = (names: readonly string[]) => names.filter((name) => !all.includes(name))

  it('that all clients have are in the table', () => holds(page, 'All clients', all))
  it('of the producer are in the table', () => holds(page, 'Producer', own(producer)))
  it('of the consumer are in the table', () => holds(page, 'Consumer', own(consumer)))
  it('of the admin client are in the table', () => holds(page, 'Admin client', own(admin)))
})

describe("the methods of Kafka's clients", () => {
  const page = 'docs/kafka-methods.md'
  it('of the producer are in the table', () => holds(page, 'Producer', namesOf('producer-methods')))
  it('of the consumer are in the table', () => holds(page, 'Consumer', namesOf('consumer-methods')))
  it('of the admin client are in the table', () => holds(page, 'Admin', namesOf('admin-methods')))
})

describe('what must never break', () => {
  const page = 'docs/kafka.md'
  const counts = { L: 8, H: 5, I: 4, G: 4, P: 5, T: 6, C: 8, R: 5 }
  const laws = Object.entries(counts).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
  )

  it('is in the table, each law with a test that there is', () => {
    const rows = tableIn(page, 'What must never break')
    expect(rows.map(({ name }) => name).sort()).toEqual([...laws].sort())
    for (const { name, here, why } of rows) {
      expect(here, name).not.toBe('')
      if (why.startsWith('—')) continue
      const tests = [...why.matchAll(/`(test\/[^`]+)`: "([^"]+)"/g)]
      expect(tests.length, `${name} has a test`).toBeGreaterThan(0)
      for (const [, path = '', title = ''] of tests) {
        expect(existsSync(`${root}${path}`), `${name}: ${path} exists`).toBe(true)
        expect(read(path).includes(title), `${path} has "${title}"`).toBe(true)
      }
    }
  })

  it('has every law that ARCHITECTURE.md names', () => {
    const named = read('ARCHITECTURE.md').matchAll(/\b([LHGPTCR])([1-8])(?:–\1?([1-8]))?\b/g)
    for (const [, letter, first, last] of named) {
      expect(laws).toContain(`${letter}${first}`)
      expect(laws).toContain(`${letter}${last ?? first}`)
    }
  })
})

it('the README and the pages lead to one another', () => {
  expect(read('README.md')).toContain('(docs/kafka.md)')
  for (const page of ['kafka-configs.md', 'kafka-methods.md']) {
    expect(read('docs/kafka.md')).toContain(`(${page})`)
  }
})
