/** Configs: what a topic takes, and how a config is changed. */
import { any, capture, contains, lacks, type Area, type RequestStep } from '../scenario.js'

type Expected = Readonly<Record<string, unknown>>

const TOPIC = 2
const BROKER = 4
const orders = { orders: {} }
const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

const createWith = (configs: Readonly<Record<string, string | null>>, expect: Expected): RequestStep => ({
  api: 'CreateTopics',
  body: {
    topics: [
      {
        name: '~made',
        numPartitions: 1,
        replicationFactor: 1,
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      },
    ],
    timeoutMs: 10_000,
    validateOnly: true,
  },
  expect: { topics: [expect] },
})

const refused = (name: string, value: string): RequestStep =>
  createWith({ [name]: value }, { errorCode: 'INVALID_CONFIG' })
const taken = (name: string, value: string): RequestStep =>
  createWith({ [name]: value }, { errorCode: 'NONE' })

const change = (
  changes: readonly (readonly [name: string, configOperation: number, value: string | null])[],
  errorCode: string,
  more: {
    readonly resourceName?: string
    readonly resourceType?: number
    readonly validateOnly?: boolean
  } = {},
): RequestStep => {
  const { resourceName = '~orders', resourceType = TOPIC, validateOnly = false } = more
  return {
    api: 'IncrementalAlterConfigs',
    body: {
      resources: [
        {
          resourceType,
          resourceName,
          configs: changes.map(([name, configOperation, value]) => ({ name, configOperation, value })),
        },
      ],
      validateOnly,
    },
    expect: { responses: [{ resourceType, resourceName, errorCode }] },
  }
}

const described = (configs: unknown, more: Expected = {}): RequestStep => ({
  api: 'DescribeConfigs',
  body: {
    resources: [{ resourceType: TOPIC, resourceName: '~orders', configurationKeys: null }],
    includeSynonyms: true,
    ...more,
  },
  expect: { results: [{ errorCode: 'NONE', resourceType: TOPIC, resourceName: '~orders', configs }] },
  eventually: true,
})

/** Where a value comes from. */
const DYNAMIC_TOPIC = 1
const DEFAULT = 5

export const configsArea: Area = {
  name: 'configs',
  scenarios: [
    {
      name: 'refuses a config that there is none of',
      source: 'LogConfig.validateNames (UNKNOWN_TOPIC_CONFIG)',
      steps: [refused('retention.msecs', '1'), refused('', '1')],
    },
    {
      name: 'refuses a value that is null',
      source: 'ConfigurationControlManager.validateAlterConfig, ReplicationControlManager.createTopics',
      steps: [createWith({ 'retention.ms': null }, { errorCode: 'INVALID_CONFIG' })],
    },
    {
      name: 'refuses what is no number of its type',
      source: 'ConfigDef.parseType',
      steps: [
        refused('retention.ms', 'long'),
        refused('retention.ms', '1.5'),
        refused('segment.bytes', '2147483648'),
        taken('retention.ms', '9007199254740991'),
        taken('retention.ms', ' 60000 '),
      ],
    },
    {
      name: 'refuses numbers out of range',
      source: 'ConfigDef.Range.ensureValid',
      steps: [
        refused('retention.ms', '-2'),
        taken('retention.ms', '-1'),
        refused('max.message.bytes', '-1'),
        taken('max.message.bytes', '0'),
        refused('min.insync.replicas', '0'),
        refused('segment.ms', '0'),
        refused('min.cleanable.dirty.ratio', '1.1'),
        refused('min.cleanable.dirty.ratio', '-0.1'),
        taken('min.cleanable.dirty.ratio', '1'),
        refused('delete.retention.ms', '-1'),
        refused('max.compaction.lag.ms', '0'),
      ],
    },
    {
      name: 'refuses segments below a megabyte',
      source: 'LogConfig (segment.bytes, KIP-1030)',
      steps: [refused('segment.bytes', '1048575'), taken('segment.bytes', '1048576')],
    },
    {
      name: 'refuses what is not among the values of a config',
      source: 'ConfigDef.ValidString.ensureValid, ConfigDef.ValidList.ensureValid',
      steps: [
        refused('cleanup.policy', 'keep'),
        taken('cleanup.policy', 'compact,delete'),
        taken('cleanup.policy', 'delete , compact'),
        refused('compression.type', 'brotli'),
        taken('compression.type', 'uncompressed'),
        refused('message.timestamp.type', 'createtime'),
      ],
    },
    {
      name: 'refuses a lag of compaction that is shorter than the shortest',
      source: 'LogConfig.validateValues (min.compaction.lag.ms)',
      steps: [
        createWith(
          { 'min.compaction.lag.ms': '100', 'max.compaction.lag.ms': '50' },
          { errorCode: 'INVALID_CONFIG' },
        ),
      ],
    },
    {
      name: 'sets, and puts back to the default',
      source: 'ConfigurationControlManager.incrementalAlterConfigs',
      topics: orders,
      steps: [
        change([['retention.ms', SET, '1000']], 'NONE'),
        described(contains({ name: 'retention.ms', value: '1000', configSource: DYNAMIC_TOPIC })),
        change([['retention.ms', DELETE, null]], 'NONE'),
        described(contains({ name: 'retention.ms', value: '604800000', configSource: DEFAULT })),
        change([['retention.ms', DELETE, null]], 'NONE'),
      ],
    },
    {
      name: 'adds to a list and takes away from it',
      source: 'ConfigurationControlManager.incrementalAlterConfigResource (APPEND, SUBTRACT)',
      topics: orders,
      steps: [
        change([['cleanup.policy', APPEND, 'compact']], 'NONE'),
        described(contains({ name: 'cleanup.policy', value: 'delete,compact' })),
        change([['cleanup.policy', APPEND, 'compact']], 'NONE'),
        change([['cleanup.policy', SUBTRACT, 'delete']], 'NONE'),
        described(contains({ name: 'cleanup.policy', value: 'compact', configSource: DYNAMIC_TOPIC })),
      ],
    },
    {
      name: 'adds to lists only',
      source: 'ConfigurationControlManager.incrementalAlterConfigResource (INVALID_CONFIG)',
      topics: orders,
      steps: [
        change([['retention.ms', APPEND, '1000']], 'INVALID_CONFIG'),
        change([['compression.type', SUBTRACT, 'gzip']], 'INVALID_CONFIG'),
      ],
    },
    {
      name: 'does not understand an operation that there is none of',
      source: 'AlterConfigOp.OpType.forId',
      ottlaDiffers: 'it says what is wrong: INVALID_REQUEST',
      topics: orders,
      steps: [change([['retention.ms', 9, '1000']], 'UNKNOWN_SERVER_ERROR')],
    },
    {
      name: 'takes configs that mean nothing to a broker alone',
      source: 'LogConfig (preallocate, unclean.leader.election.enable)',
      ottlaDiffers: 'it has only configs that do something, and refuses all others by name',
      steps: [taken('preallocate', 'TRUE'), refused('unclean.leader.election.enable', 'maybe')],
    },
    {
      name: 'refuses a value that is null when it changes',
      source: 'ConfigAdminManager.preprocess (INVALID_REQUEST)',
      topics: orders,
      steps: [
        change([['retention.ms', SET, null]], 'INVALID_REQUEST'),
        change([['cleanup.policy', APPEND, null]], 'INVALID_REQUEST'),
      ],
    },
    {
      name: 'refuses a config that a request changes twice',
      source: 'ConfigAdminManager.preprocess (duplicate config keys)',
      topics: orders,
      steps: [
        change(
          [
            ['retention.ms', SET, '1000'],
            ['retention.ms', SET, '2000'],
          ],
          'INVALID_REQUEST',
        ),
      ],
    },
    {
      name: 'refuses a resource that a request changes twice',
      source: 'ConfigAdminManager.preprocess (duplicate resources)',
      topics: orders,
      steps: [
        {
          api: 'IncrementalAlterConfigs',
          body: {
            resources: [
              {
                resourceType: TOPIC,
                resourceName: '~orders',
                configs: [{ name: 'retention.ms', configOperation: SET, value: '1' }],
              },
              {
                resourceType: TOPIC,
                resourceName: '~orders',
                configs: [{ name: 'retention.ms', configOperation: SET, value: '2' }],
              },
            ],
          },
          expect: { responses: contains({ resourceName: '~orders', errorCode: 'INVALID_REQUEST' }) },
        },
      ],
    },
    {
      name: 'changes nothing of a topic where one of the changes is refused',
      source: 'ConfigurationControlManager.incrementalAlterConfigResource',
      topics: orders,
      steps: [
        change(
          [
            ['retention.ms', SET, '1000'],
            ['max.message.bytes', SET, '-5'],
          ],
          'INVALID_CONFIG',
        ),
        change([['no.such.config', SET, '1']], 'INVALID_CONFIG'),
        described(contains({ name: 'retention.ms', value: '604800000' })),
      ],
    },
    {
      name: 'changes nothing that is only to be validated',
      source: 'ConfigurationControlManager.incrementalAlterConfigs (validateOnly)',
      topics: orders,
      steps: [
        change([['retention.ms', SET, '1000']], 'NONE', { validateOnly: true }),
        change([['retention.ms', SET, '-3']], 'INVALID_CONFIG', { validateOnly: true }),
        described(contains({ name: 'retention.ms', value: '604800000' })),
      ],
    },
    {
      name: 'does not know a topic, or a resource that has no configs',
      source: 'ControllerConfigurationValidator, ConfigAdminManager',
      steps: [
        change([['retention.ms', SET, '1']], 'UNKNOWN_TOPIC_OR_PARTITION', { resourceName: '~nothing' }),
        change([['retention.ms', SET, '1']], 'INVALID_TOPIC_EXCEPTION', { resourceName: 'a b' }),
        change([['retention.ms', SET, '1']], 'INVALID_REQUEST', { resourceType: 99, resourceName: 'x' }),
        change([['log.retention.ms', SET, '1']], 'INVALID_REQUEST', {
          resourceType: BROKER,
          resourceName: 'one',
        }),
      ],
    },
    {
      name: 'replaces all configs of a topic in the older way',
      source: 'ConfigurationControlManager.legacyAlterConfigs',
      topics: { orders: { configs: { 'retention.ms': '1000' } } },
      steps: [
        {
          api: 'AlterConfigs',
          body: {
            resources: [
              {
                resourceType: TOPIC,
                resourceName: '~orders',
                configs: [{ name: 'max.message.bytes', value: '5000' }],
              },
            ],
          },
          expect: { responses: [{ resourceName: '~orders', errorCode: 'NONE' }] },
        },
        described(
          contains(
            { name: 'max.message.bytes', value: '5000', configSource: DYNAMIC_TOPIC },
            { name: 'retention.ms', value: '604800000', configSource: DEFAULT },
          ),
        ),
        {
          api: 'AlterConfigs',
          body: {
            resources: [
              {
                resourceType: TOPIC,
                resourceName: '~orders',
                configs: [{ name: 'max.message.bytes', value: null }],
              },
            ],
          },
          expect: { responses: [{ errorCode: 'INVALID_REQUEST' }] },
        },
      ],
    },
    {
      name: 'describes where a value comes from',
      source: 'ConfigHelper.createTopicConfigEntry',
      topics: { orders: { configs: { 'retention.ms': '1000' } } },
      steps: [
        described(
          contains(
            {
              name: 'retention.ms',
              value: '1000',
              configSource: DYNAMIC_TOPIC,
              readOnly: false,
              isSensitive: false,
              configType: 5,
              synonyms: contains({ name: 'retention.ms', value: '1000', source: DYNAMIC_TOPIC }),
            },
            { name: 'cleanup.policy', value: 'delete', configSource: DEFAULT, configType: 7 },
            { name: 'min.cleanable.dirty.ratio', value: '0.5', configType: 6 },
            { name: 'segment.bytes', value: '1073741824', configType: 3 },
          ),
        ),
      ],
    },
    {
      name: 'describes only what is asked for, and documents it on demand',
      source: 'ConfigHelper.describeConfigs',
      topics: orders,
      steps: [
        {
          api: 'DescribeConfigs',
          body: {
            resources: [
              {
                resourceType: TOPIC,
                resourceName: '~orders',
                configurationKeys: ['retention.ms', 'no.such.config'],
              },
            ],
          },
          expect: {
            results: [
              { errorCode: 'NONE', configs: [{ name: 'retention.ms', synonyms: [], documentation: null }] },
            ],
          },
        },
        {
          api: 'DescribeConfigs',
          body: {
            resources: [
              { resourceType: TOPIC, resourceName: '~orders', configurationKeys: ['retention.ms'] },
            ],
            includeDocumentation: true,
          },
          expect: { results: [{ configs: [{ name: 'retention.ms', documentation: capture('text') }] }] },
        },
      ],
    },
    {
      name: 'does not describe a topic that there is none of',
      source: 'ConfigHelper.describeConfigs (UNKNOWN_TOPIC_OR_PARTITION)',
      steps: [
        {
          api: 'DescribeConfigs',
          body: { resources: [{ resourceType: TOPIC, resourceName: '~nothing', configurationKeys: null }] },
          expect: { results: [{ errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', configs: [] }] },
        },
        {
          api: 'DescribeConfigs',
          body: { resources: [{ resourceType: BROKER, resourceName: '77', configurationKeys: null }] },
          expect: { results: [{ errorCode: 'INVALID_REQUEST', configs: [] }] },
        },
      ],
    },
    {
      name: 'lists the resources that have configs',
      source: 'KafkaApis.handleListConfigResources',
      topics: orders,
      steps: [
        {
          api: 'ListConfigResources',
          body: { resourceTypes: [TOPIC] },
          expect: {
            errorCode: 'NONE',
            configResources: contains({ resourceName: '~orders', resourceType: TOPIC }),
          },
        },
        {
          api: 'ListConfigResources',
          body: { resourceTypes: [BROKER] },
          expect: { errorCode: 'NONE', configResources: lacks({ resourceName: '~orders' }) },
        },
        {
          api: 'ListConfigResources',
          body: { resourceTypes: [99] },
          expect: { errorCode: 'UNSUPPORTED_VERSION' },
        },
      ],
    },
    {
      name: 'tells the configs of a topic that it makes',
      source: 'ReplicationControlManager.createTopic (configs of the response)',
      steps: [
        createWith(
          { 'retention.ms': '1000' },
          {
            errorCode: 'NONE',
            configs: contains(
              { name: 'retention.ms', value: '1000', configSource: DYNAMIC_TOPIC },
              { name: 'cleanup.policy', value: 'delete', readOnly: any },
            ),
          },
        ),
      ],
    },
  ],
}
