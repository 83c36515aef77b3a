/** Apache Kafka's own tools against a listener that asks who they are: SCRAM, sessions that end, ACLs. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ottla, type ScramMechanism } from '../../src/index.js'
import type { Suite } from '../support/suite-command.js'
import { toolCommand } from './java-client.js'
import { run } from './process.js'

/** The settings of a client, as its tools read them. */
const propertiesOf = (mechanism: ScramMechanism, user: string, password: string): string =>
  [
    'security.protocol=SASL_PLAINTEXT',
    `sasl.mechanism=${mechanism}`,
    `sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${user}" password="${password}";`,
  ].join('\n')

/** The tools as users who may do different things. */
export const security: Suite = {
  name: 'security',
  summary: "Apache Kafka's own command line tools authenticate, and are held to ACLs",
  defaultRounds: 60,
  async run({ rounds, check }) {
    const isReady = await check('the tools are there', () => {
      toolCommand('TopicCommand')
    })
    if (!isReady) return
    const folder = await mkdtemp(join(tmpdir(), 'ottla-security-'))
    try {
      await using ottla = await Ottla.open()
      for (const name of ['orders', 'secret']) await ottla.createTopic(name)
      for (const user of ['admin', 'alice'])
        await ottla.admin.alterUserScramCredentials([{ user, mechanism: 'SCRAM-SHA-512', password: user }])
      const { host, port, events } = await ottla.listen({
        // Sessions of two seconds: who stays longer authenticates again on the connection that it has.
        sasl: { scram: ['SCRAM-SHA-256', 'SCRAM-SHA-512'], connectionsMaxReauthMs: 2000 },
        authorizer: { superUsers: ['User:admin'] },
      })
      const refused: string[] = []
      events.on('clientRefused', ({ error }) => refused.push(error.code))
      const as = async (properties: string, name: string, ...args: string[]): Promise<readonly string[]> => {
        const file = join(folder, 'client.properties')
        await writeFile(file, properties)
        return run(toolCommand(name), [
          ...['--bootstrap-server', `${host}:${port}`, '--command-config', file],
          ...args,
        ])
      }
      const admin = propertiesOf('SCRAM-SHA-512', 'admin', 'admin')
      const alice = propertiesOf('SCRAM-SHA-512', 'alice', 'alice')

      await check('who has no permission sees no topic, a super user sees all', async () => {
        assert.deepEqual(await as(alice, 'TopicCommand', '--list'), [])
        assert.deepEqual(await as(admin, 'TopicCommand', '--list'), ['orders', 'secret'])
      })
      await check('kafka-acls adds, and lists what concerns a topic', async () => {
        const allow = ['--allow-principal', 'User:alice', '--operation', 'Write', '--topic', 'ord']
        await as(admin, 'AclCommand', '--add', ...allow, '--resource-pattern-type', 'prefixed')
        const about = ['--topic', 'orders', '--resource-pattern-type', 'match']
        const listed = (await as(admin, 'AclCommand', '--list', ...about)).join('\n')
        assert.match(listed, /name=ord, patternType=PREFIXED/)
        assert.match(listed, /principal=User:alice, host=\*, operation=WRITE, permissionType=ALLOW/)
        assert.deepEqual(await as(alice, 'TopicCommand', '--list'), ['orders'])
      })
      await check('a producer writes on over the ends of its sessions', async () => {
        const load = ['--num-records', String(rounds), '--throughput', '10', '--record-size', '10']
        await as(alice, 'ProducerPerformance', '--topic', 'orders', ...load)
        const [partition] = await ottla.admin.listOffsets([{ topic: 'orders', partition: 0 }], 'latest')
        assert.equal(partition?.offset, rounds)
        assert.deepEqual(refused, [])
      })
      await check('a wrong password is refused', async () => {
        const wrong = propertiesOf('SCRAM-SHA-256', 'alice', 'wrong')
        await assert.rejects(as(wrong, 'TopicCommand', '--list'))
        assert.deepEqual([...new Set(refused)], ['SASL_AUTHENTICATION_FAILED'])
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  },
}
