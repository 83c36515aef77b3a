/** Setting and removing SCRAM credentials: Kafka's checks, then one durable change of the metadata (KIP-554). */
import type { alterUserScramCredentials } from '../../protocol/api/alter-user-scram-credentials.js'
import type { RequestOf } from '../../protocol/schema.js'
import { SCRAM_ITERATIONS, SCRAM_MECHANISMS, scramKeysOf } from '../../protocol/scram.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClusterMetadata } from '../metadata/cluster-metadata.js'
import type { MetadataChange } from '../metadata/metadata-log.js'

type AlterRequest = RequestOf<typeof alterUserScramCredentials>
type Deletion = AlterRequest['deletions'][number]
type Upsertion = AlterRequest['upsertions'][number]

/**
 * Carries out what can be done of `request`, and resolves to what went wrong with each user that is named, undefined
 * where nothing did. A user that is named twice is not changed.
 */
export const alterScramCredentials = (
  metadata: ClusterMetadata,
  { deletions, upsertions }: AlterRequest,
): Promise<ReadonlyMap<string, OttlaError | undefined>> =>
  metadata.exclusive(async () => {
    const results = new Map<string, OttlaError | undefined>()
    const changes = new Map<string, MetadataChange>()
    const change = async (
      user: string,
      make: () => MetadataChange | Promise<MetadataChange>,
    ): Promise<void> => {
      try {
        if (results.has(user)) throw namedTwice()
        results.set(user, undefined)
        changes.set(user, await make())
      } catch (error) {
        if (!OttlaError.is(error)) throw error
        changes.delete(user)
        results.set(user, results.get(user) ?? error)
      }
    }
    for (const deletion of deletions) await change(deletion.name, () => removal(metadata, deletion))
    for (const upsertion of upsertions) await change(upsertion.name, () => setting(upsertion))
    if (changes.size > 0) await metadata.commit([...changes.values()])
    return results
  })

const removal = (metadata: ClusterMetadata, { name, mechanism }: Deletion): MetadataChange => {
  checkUser(name, mechanism)
  if (metadata.scramCredentials.of(name)?.has(mechanism) === true)
    return { type: 'removeUserScramCredential', record: { name, mechanism } }
  throw new OttlaError('RESOURCE_NOT_FOUND', 'Attempt to delete a user credential that does not exist')
}

const setting = async ({ saltedPassword, ...upsertion }: Upsertion): Promise<MetadataChange> => {
  const { name, iterations } = upsertion
  const mechanism = checkUser(name, upsertion.mechanism)
  if (iterations < SCRAM_ITERATIONS.min) throw unacceptable('Too few iterations')
  if (iterations > SCRAM_ITERATIONS.max) throw unacceptable('Too many iterations')
  if (saltedPassword.length === 0) throw unacceptable('The salted password must not be empty')
  const keys = await scramKeysOf(mechanism, saltedPassword)
  return {
    type: 'userScramCredential',
    // Of its own: what a request holds may be part of something much larger.
    record: { ...upsertion, ...keys, salt: new Uint8Array(upsertion.salt) },
  }
}

const checkUser = (name: string, type: number): 'SCRAM-SHA-256' | 'SCRAM-SHA-512' => {
  if (name === '') throw unacceptable('Username must not be empty')
  const mechanism = SCRAM_MECHANISMS.get(type)
  if (mechanism !== undefined) return mechanism
  throw new OttlaError('UNSUPPORTED_SASL_MECHANISM', 'Unknown SCRAM mechanism')
}

const unacceptable = (message: string): OttlaError => new OttlaError('UNACCEPTABLE_CREDENTIAL', message)

const namedTwice = (): OttlaError =>
  new OttlaError('DUPLICATE_RESOURCE', 'A user credential cannot be altered twice in the same request')
