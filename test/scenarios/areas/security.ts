/** SCRAM credentials, and SASL where nobody authenticates. */
import { contains, text, type Area, type RequestStep } from '../scenario.js'

type Expected = Readonly<Record<string, unknown>>

const SHA_256 = 1
const SHA_512 = 2

const upsert = (expect: Expected, more: Expected = {}): RequestStep => ({
  api: 'AlterUserScramCredentials',
  body: {
    upsertions: [
      {
        name: '~alice',
        mechanism: SHA_256,
        iterations: 4096,
        salt: text('salt'),
        saltedPassword: text('salted password'),
        ...more,
      },
    ],
  },
  expect: { results: [expect] },
})

const remove = (expect: Expected, mechanism = SHA_256): RequestStep => ({
  api: 'AlterUserScramCredentials',
  body: { deletions: [{ name: '~alice', mechanism }] },
  expect: { results: [expect] },
})

const describeUser = (expect: Expected): RequestStep => ({
  api: 'DescribeUserScramCredentials',
  body: { users: [{ name: '~alice' }] },
  expect: { errorCode: 'NONE', results: [{ user: '~alice', ...expect }] },
  eventually: true,
})

export const securityArea: Area = {
  name: 'security',
  scenarios: [
    {
      name: 'keeps credentials of a user, one for each mechanism',
      source: 'ScramControlManager.alterCredentials',
      steps: [
        upsert({ user: '~alice', errorCode: 'NONE' }),
        upsert({ errorCode: 'NONE' }, { mechanism: SHA_512, iterations: 8192 }),
        describeUser({
          errorCode: 'NONE',
          credentialInfos: contains(
            { mechanism: SHA_256, iterations: 4096 },
            { mechanism: SHA_512, iterations: 8192 },
          ),
        }),
        upsert({ errorCode: 'NONE' }, { iterations: 5000 }),
        describeUser({ credentialInfos: contains({ mechanism: SHA_256, iterations: 5000 }) }),
        remove({ errorCode: 'NONE' }),
        describeUser({ credentialInfos: [{ mechanism: SHA_512 }] }),
        remove({ errorCode: 'NONE' }, SHA_512),
        describeUser({ errorCode: 'RESOURCE_NOT_FOUND', credentialInfos: [] }),
      ],
    },
    {
      name: 'refuses too few iterations and too many',
      source: 'ScramControlManager.validateUpsertion (UNACCEPTABLE_CREDENTIAL)',
      steps: [
        upsert({ errorCode: 'UNACCEPTABLE_CREDENTIAL' }, { iterations: 4095 }),
        upsert({ errorCode: 'UNACCEPTABLE_CREDENTIAL' }, { iterations: 16_385 }),
        upsert({ errorCode: 'UNACCEPTABLE_CREDENTIAL' }, { name: '' }),
      ],
    },
    {
      name: 'refuses a mechanism that there is none of',
      source: 'ScramControlManager.validateScramUsernameAndMechanism (UNSUPPORTED_SASL_MECHANISM)',
      steps: [upsert({ errorCode: 'UNSUPPORTED_SASL_MECHANISM' }, { mechanism: 9 })],
    },
    {
      name: 'does not delete what is not there',
      source: 'ScramControlManager.alterCredentials (RESOURCE_NOT_FOUND)',
      steps: [remove({ user: '~alice', errorCode: 'RESOURCE_NOT_FOUND' })],
    },
    {
      name: 'refuses a user whose credential a request changes twice',
      source: 'ScramControlManager.alterCredentials (DUPLICATE_RESOURCE)',
      steps: [
        upsert({ errorCode: 'NONE' }),
        describeUser({ errorCode: 'NONE' }),
        {
          api: 'AlterUserScramCredentials',
          body: {
            deletions: [{ name: '~alice', mechanism: SHA_256 }],
            upsertions: [
              {
                name: '~alice',
                mechanism: SHA_256,
                iterations: 4096,
                salt: text('salt'),
                saltedPassword: text('password'),
              },
            ],
          },
          expect: { results: [{ user: '~alice', errorCode: 'DUPLICATE_RESOURCE' }] },
        },
      ],
    },
    {
      name: 'does not describe a user twice',
      source: 'ScramImage.describe (DUPLICATE_RESOURCE)',
      steps: [
        {
          api: 'DescribeUserScramCredentials',
          body: { users: [{ name: '~alice' }, { name: '~alice' }] },
          expect: { errorCode: 'NONE', results: [{ user: '~alice', errorCode: 'DUPLICATE_RESOURCE' }] },
        },
      ],
    },
    {
      name: 'does not take a handshake where nobody authenticates',
      source: 'KafkaApis.handleSaslHandshakeRequest (ILLEGAL_SASL_STATE)',
      steps: [
        {
          api: 'SaslHandshake',
          body: { mechanism: 'PLAIN' },
          expect: { errorCode: 'ILLEGAL_SASL_STATE', mechanisms: [] },
        },
        {
          api: 'SaslAuthenticate',
          body: { authBytes: text('x') },
          expect: { errorCode: 'ILLEGAL_SASL_STATE' },
        },
      ],
    },
  ],
}
