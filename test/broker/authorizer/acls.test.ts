/** What access control entries say, beside a model that goes through all of them as Kafka's documentation puts it. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { Acls, type Acl } from '../../../src/broker/authorizer/acls.js'
import { ACL_OPERATIONS, ACL_PATTERN_TYPES, ACL_PERMISSION_TYPES } from '../../../src/protocol/acl.js'

const TOPIC = 2
const GROUP = 3
const { ALL, ALTER_CONFIGS, DELETE, DESCRIBE, DESCRIBE_CONFIGS, READ, WRITE } = ACL_OPERATIONS
const { LITERAL, PREFIXED } = ACL_PATTERN_TYPES
const { ALLOW, DENY } = ACL_PERMISSION_TYPES
const alice = { principal: 'User:alice', host: '10.0.0.1' }

let nextId = 0
const acl = (given: Partial<Acl>): Acl => ({
  id: `id-${nextId++}`,
  resourceType: TOPIC,
  resourceName: 'orders',
  patternType: LITERAL,
  principal: 'User:alice',
  host: '*',
  operation: READ,
  permissionType: ALLOW,
  ...given,
})
const aclsOf = (...all: readonly Acl[]): Acls => {
  const acls = new Acls()
  for (const one of all) acls.add(one)
  return acls
}

describe('an action', () => {
  it.each<[string, Partial<Acl>[], 'allowed' | 'denied' | 'none']>([
    ['without entries', [], 'none'],
    ['on another resource', [{ resourceName: 'other' }], 'none'],
    ['on a resource of another type', [{ resourceType: GROUP }], 'none'],
    ['that is allowed', [{}], 'allowed'],
    ['that another may', [{ principal: 'User:bob' }], 'denied'],
    ['that everybody may', [{ principal: 'User:*' }], 'allowed'],
    ['that is allowed from here', [{ host: '10.0.0.1' }], 'allowed'],
    ['that is allowed from elsewhere', [{ host: '10.0.0.2' }], 'denied'],
    ['that is another', [{ operation: WRITE }], 'denied'],
    ['of all that is allowed', [{ operation: ALL }], 'allowed'],
    ['on every resource', [{ resourceName: '*' }], 'allowed'],
    ['on resources that begin so', [{ resourceName: 'ord', patternType: PREFIXED }], 'allowed'],
    ['on a resource that begins so, and is longer', [{ resourceName: 'ord' }], 'none'],
    ['that is denied too', [{}, { permissionType: DENY }], 'denied'],
    ['that is denied on all of them', [{}, { permissionType: DENY, resourceName: '*' }], 'denied'],
    [
      'that is denied by prefix',
      [{}, { permissionType: DENY, resourceName: 'o', patternType: PREFIXED }],
      'denied',
    ],
    ['of which another is denied', [{}, { permissionType: DENY, operation: WRITE }], 'allowed'],
  ])('%s', (_what, entries, finding) => {
    expect(aclsOf(...entries.map(acl)).find(alice, READ, TOPIC, 'orders')).toBe(finding)
  })

  it.each<[number, number, number, 'allowed' | 'denied']>([
    [READ, ALLOW, DESCRIBE, 'allowed'],
    [WRITE, ALLOW, DESCRIBE, 'allowed'],
    [DELETE, ALLOW, DESCRIBE, 'allowed'],
    [ALTER_CONFIGS, ALLOW, DESCRIBE_CONFIGS, 'allowed'],
    [ALTER_CONFIGS, ALLOW, DESCRIBE, 'denied'],
    [DESCRIBE, ALLOW, READ, 'denied'],
  ])('operation %i with permission %i implies %i: %s', (operation, permissionType, asked, finding) => {
    expect(aclsOf(acl({ operation, permissionType })).find(alice, asked, TOPIC, 'orders')).toBe(finding)
  })

  it('that is denied takes nothing along', () => {
    const acls = aclsOf(acl({ operation: READ, permissionType: DENY }), acl({ operation: DESCRIBE }))
    expect(acls.find(alice, DESCRIBE, TOPIC, 'orders')).toBe('allowed')
    expect(acls.find(alice, READ, TOPIC, 'orders')).toBe('denied')
  })
})

describe('any resource', () => {
  it.each<[string, Partial<Acl>[], boolean]>([
    ['nothing', [], false],
    ['one that is allowed', [{}], true],
    ['one that is denied as well', [{}, { permissionType: DENY }], false],
    [
      'one by prefix, denied by a shorter one',
      [
        { resourceName: 'ord', patternType: PREFIXED },
        { resourceName: 'o', patternType: PREFIXED, permissionType: DENY },
      ],
      false,
    ],
    [
      'one by prefix, of which a part is denied',
      [
        { resourceName: 'o', patternType: PREFIXED },
        { resourceName: 'ord', patternType: PREFIXED, permissionType: DENY },
      ],
      true,
    ],
    ['all, of which one is denied', [{ resourceName: '*' }, { permissionType: DENY }], true],
    ['all, and all denied', [{}, { resourceName: '*', permissionType: DENY }], false],
  ])('%s', (_what, entries, isAllowed) => {
    expect(aclsOf(...entries.map(acl)).allowsAny(alice, READ, TOPIC)).toBe(isAllowed)
  })
})

describe('prefixes', () => {
  const allowPrefixed = (resourceName: string): Acl => acl({ resourceName, patternType: PREFIXED })

  it('are found without trying all that a long name has', () => {
    const acls = aclsOf(allowPrefixed('a'), allowPrefixed('aaa'), allowPrefixed('b'))
    const name = 'a'.repeat(32_767)
    // Trying all of them takes a second for each name; no test has so much time.
    for (let count = 0; count < 1000; count++) expect(acls.find(alice, READ, TOPIC, name)).toBe('allowed')
  })

  it('stay when another of the same length goes', () => {
    const [gone, kept] = [allowPrefixed('or'), allowPrefixed('ab')]
    const acls = aclsOf(gone, kept)
    acls.remove(gone.id)
    expect(acls.find(alice, READ, TOPIC, 'orders')).toBe('none')
    expect(acls.find(alice, READ, TOPIC, 'about')).toBe('allowed')
  })
})

const names = fc.constantFrom('a', 'ab', 'abc', 'b', '*')
const entry = fc.record({
  resourceType: fc.constantFrom(TOPIC, GROUP),
  resourceName: names,
  patternType: fc.constantFrom(LITERAL, PREFIXED),
  principal: fc.constantFrom('User:alice', 'User:bob', 'User:*'),
  host: fc.constantFrom('*', '10.0.0.1', '10.0.0.2'),
  operation: fc.constantFrom(ALL, READ, WRITE, DESCRIBE, ALTER_CONFIGS),
  permissionType: fc.constantFrom(ALLOW, DENY),
})

describe('all of them', () => {
  test.prop([
    fc.array(entry, { maxLength: 12 }),
    fc.array(fc.nat(11)),
    fc.constantFrom(READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS),
    names,
  ])('are found as when each is looked at', (entries, removals, operation, name) => {
    const all = entries.map(acl)
    const acls = aclsOf(...all)
    const removed = new Set(removals.flatMap((index) => all[index] ?? []))
    for (const { id } of removed) acls.remove(id)
    const left = all.filter((one) => !removed.has(one))
    const isImplied = (by: number): boolean =>
      operation === DESCRIBE
        ? [READ, WRITE].includes(by)
        : operation === DESCRIBE_CONFIGS && by === ALTER_CONFIGS
    const onIt = left.filter(
      (one) =>
        one.resourceType === TOPIC &&
        (one.patternType === PREFIXED
          ? name.startsWith(one.resourceName)
          : one.resourceName === name || one.resourceName === '*'),
    )
    const about = onIt.filter(
      (one) =>
        ['User:alice', 'User:*'].includes(one.principal) &&
        ['*', '10.0.0.1'].includes(one.host) &&
        (one.operation === ALL ||
          one.operation === operation ||
          (one.permissionType === ALLOW && isImplied(one.operation))),
    )
    const expected =
      onIt.length === 0
        ? 'none'
        : about.length > 0 && about.every(({ permissionType }) => permissionType === ALLOW)
          ? 'allowed'
          : 'denied'
    expect(acls.find(alice, operation, TOPIC, name)).toBe(expected)
  })
})
