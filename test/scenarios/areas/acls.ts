/** Access control entries: how they are made, found and removed. The client that does it may do everything. */
import { contains, type Area, type RequestStep } from '../scenario.js'

type Fields = Readonly<Record<string, unknown>>

/** Kafka's numbers of resource types, pattern types, operations and permissions. */
const ANY = 1
const MATCH = 2
const TOPIC = 2
const CLUSTER = 4
const LITERAL = 3
const PREFIXED = 4
const READ = 3
const WRITE = 4
const ALLOW = 3
const DENY = 2

const create = (acls: readonly Fields[], results: readonly Fields[]): RequestStep => ({
  api: 'CreateAcls',
  body: {
    creations: acls.map((acl) => ({
      resourceType: TOPIC,
      resourceName: '~orders',
      resourcePatternType: LITERAL,
      principal: 'User:alice',
      host: '*',
      operation: READ,
      permissionType: ALLOW,
      ...acl,
    })),
  },
  expect: { results },
})

const filterOf = (filter: Fields): Fields => ({
  resourceTypeFilter: TOPIC,
  resourceNameFilter: '~orders',
  patternTypeFilter: ANY,
  principalFilter: null,
  hostFilter: null,
  operation: ANY,
  permissionType: ANY,
  ...filter,
})

const describe = (filter: Fields, resources: unknown): RequestStep => ({
  api: 'DescribeAcls',
  body: filterOf(filter),
  expect: { errorCode: 'NONE', resources },
  eventually: true,
})

const remove = (filter: Fields, expect: Fields): RequestStep => ({
  api: 'DeleteAcls',
  body: { filters: [filterOf(filter)] },
  expect: { filterResults: [expect] },
})

const OK = { errorCode: 'NONE' }

export const aclsArea: Area = {
  name: 'acls',
  scenarios: [
    {
      name: 'are found again by the resource',
      source: 'AclControlManager.createAcls, StandardAuthorizerData.acls',
      steps: [
        create([{}, { operation: WRITE, permissionType: DENY, host: '10.0.0.1' }], [OK, OK]),
        describe({}, [
          {
            resourceType: TOPIC,
            resourceName: '~orders',
            patternType: LITERAL,
            acls: contains(
              { principal: 'User:alice', host: '*', operation: READ, permissionType: ALLOW },
              { host: '10.0.0.1', operation: WRITE, permissionType: DENY },
            ),
          },
        ]),
        describe({ resourceNameFilter: '~other' }, []),
      ],
    },
    {
      name: 'are there once, however often they are made',
      source: 'AclControlManager.createAcls (existingAcls)',
      steps: [
        create([{}], [OK]),
        create([{}, {}], [OK, OK]),
        describe({}, [{ acls: [{ principal: 'User:alice', operation: READ }] }]),
      ],
    },
    {
      name: 'are found by principal, host, operation and permission',
      source: 'AccessControlEntryFilter.matches',
      steps: [
        create([{}, { principal: 'User:bob', operation: WRITE }], [OK, OK]),
        describe({ principalFilter: 'User:bob' }, [{ acls: [{ principal: 'User:bob', operation: WRITE }] }]),
        describe({ operation: READ }, [{ acls: [{ principal: 'User:alice' }] }]),
        describe({ hostFilter: '10.0.0.1' }, []),
        describe({ permissionType: DENY }, []),
      ],
    },
    {
      name: 'of a prefix match the names that begin with it, when that is asked for',
      source: 'ResourcePatternFilter.matches (MATCH)',
      steps: [
        create([{ resourceName: '~ord', resourcePatternType: PREFIXED }], [OK]),
        describe({ patternTypeFilter: LITERAL }, []),
        describe({ patternTypeFilter: ANY }, []),
        describe({ patternTypeFilter: MATCH }, contains({ resourceName: '~ord', patternType: PREFIXED })),
        describe({ resourceNameFilter: '~ord', patternTypeFilter: PREFIXED }, [{ resourceName: '~ord' }]),
      ],
    },
    {
      name: 'are removed by a filter, which tells which they were',
      source: 'AclControlManager.deleteAcls',
      steps: [
        create([{}, { operation: WRITE }], [OK, OK]),
        describe({}, [{ acls: contains({ operation: READ }, { operation: WRITE }) }]),
        remove(
          { operation: WRITE },
          {
            errorCode: 'NONE',
            matchingAcls: [
              { errorCode: 'NONE', resourceName: '~orders', principal: 'User:alice', operation: WRITE },
            ],
          },
        ),
        describe({}, [{ acls: [{ operation: READ }] }]),
        remove({ operation: WRITE }, { errorCode: 'NONE', matchingAcls: [] }),
      ],
    },
    {
      name: 'are refused without a name, and for what is no principal',
      source: 'AclControlManager.validateNewAcl',
      steps: [
        create([{ resourceName: '' }], [{ errorCode: 'INVALID_REQUEST' }]),
        create([{ principal: 'alice' }], [{ errorCode: 'INVALID_REQUEST' }]),
      ],
    },
    {
      name: 'are not understood where they name everything',
      source: 'AccessControlEntry, ResourcePattern (IllegalArgumentException for ANY)',
      ottlaDiffers: 'it says what is wrong: INVALID_REQUEST',
      steps: [
        create([{ operation: ANY }], [{ errorCode: 'UNKNOWN_SERVER_ERROR' }]),
        create([{ permissionType: ANY }], [{ errorCode: 'UNKNOWN_SERVER_ERROR' }]),
        create([{ resourceType: ANY }], [{ errorCode: 'UNKNOWN_SERVER_ERROR' }]),
      ],
    },
    {
      name: 'of the cluster have its name',
      source: 'AclApis.handleCreateAcls (CLUSTER_NAME)',
      steps: [create([{ resourceType: CLUSTER, resourceName: 'mine' }], [{ errorCode: 'INVALID_REQUEST' }])],
    },
    {
      name: 'are made where others of the same request are refused',
      source: 'AclApis.handleCreateAcls (validBindings)',
      steps: [
        create([{ resourceName: '' }, {}], [{ errorCode: 'INVALID_REQUEST' }, OK]),
        describe({}, [{ acls: [{ operation: READ }] }]),
      ],
    },
  ],
}
