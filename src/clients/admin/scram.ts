/** Admin requests about the SCRAM credentials of users (KIP-554). */
import { alterUserScramCredentials as alterApi } from '../../protocol/api/alter-user-scram-credentials.js'
import { describeUserScramCredentials as describeApi } from '../../protocol/api/describe-user-scram-credentials.js'
import {
  saltPassword,
  SCRAM_ITERATIONS,
  SCRAM_MECHANISMS,
  SCRAM_SALT_BYTES,
  SCRAM_TYPES,
  type ScramMechanism,
} from '../../protocol/scram.js'
import { errorFromKafkaCode, invalidArgument, OttlaError, show } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions } from './admin-options.js'
import { Outcomes } from './outcomes.js'

/** A mechanism that a user has a credential for. */
export interface ScramCredentialInfo {
  /** The mechanism. */
  readonly mechanism: ScramMechanism
  /** How often the password is hashed, from 4,096 to 16,384. */
  readonly iterations: number
}

/** What credentials a user has. */
export interface UserScramCredentialsDescription {
  /** The user's name. */
  readonly name: string
  /** One entry for each mechanism. */
  readonly credentialInfos: readonly ScramCredentialInfo[]
}

/** A password to be set, in place of one that the user may have for the mechanism. */
export interface UserScramCredentialUpsertion {
  /** The user's name. */
  readonly user: string
  /** Which mechanism the password is for. */
  readonly mechanism: ScramMechanism
  /** The password; it does not leave this process. */
  readonly password: string
  /** How often it is hashed, from 4,096 (the default) to 16,384. */
  readonly iterations?: number
}

/** A credential to be removed. */
export interface UserScramCredentialDeletion {
  /** The user's name. */
  readonly user: string
  /** Which mechanism it is for. */
  readonly mechanism: ScramMechanism
}

/** A change of a credential: a removal when there is no password. */
export type UserScramCredentialAlteration = UserScramCredentialUpsertion | UserScramCredentialDeletion

export const describeUserScramCredentials = async (
  { cluster }: ClientContext,
  users: readonly string[] | undefined,
  { signal }: AdminOptions,
): Promise<readonly UserScramCredentialsDescription[]> => {
  // Kafka takes an empty list for all users.
  if (users?.length === 0) return []
  const channel = await cluster.any({ signal })
  const request = { users: users?.map((name) => ({ name })) ?? null }
  const { errorCode, errorMessage, results } = await channel.send(describeApi, request, { signal })
  if (errorCode !== 0) throw errorFromKafkaCode(errorCode, errorMessage)
  const outcomes = new Outcomes<UserScramCredentialsDescription>(results.map(({ user }) => user))
  for (const result of results) {
    const { user: name } = result
    const credentialInfos = result.credentialInfos.flatMap(({ mechanism: type, iterations }) => {
      const mechanism = SCRAM_MECHANISMS.get(type)
      return mechanism === undefined ? [] : [{ mechanism, iterations }]
    })
    if (result.errorCode === 0) outcomes.succeed(name, { name, credentialInfos })
    else outcomes.fail(name, userError(result))
  }
  return outcomes.results()
}

export const alterUserScramCredentials = async (
  { cluster, random }: ClientContext,
  alterations: readonly UserScramCredentialAlteration[],
  { signal }: AdminOptions,
): Promise<void> => {
  const deletions = []
  const upsertions = []
  for (const alteration of alterations) {
    const { user: name, mechanism } = alteration
    const type = checkMechanism(mechanism)
    if (!('password' in alteration)) {
      deletions.push({ name, mechanism: type })
      continue
    }
    const { password, iterations = SCRAM_ITERATIONS.min } = alteration
    checkPassword(name, password)
    checkIterations(iterations)
    const salt = random.bytes(SCRAM_SALT_BYTES)
    const saltedPassword = await saltPassword(mechanism, password, salt, iterations)
    upsertions.push({ name, mechanism: type, iterations, salt, saltedPassword })
  }
  const controller = await cluster.controller({ signal })
  const { results } = await controller.send(alterApi, { deletions, upsertions }, { signal })
  const outcomes = new Outcomes<string>(alterations.map(({ user }) => user))
  for (const result of results) {
    if (result.errorCode === 0) outcomes.succeed(result.user, result.user)
    else outcomes.fail(result.user, userError(result))
  }
  outcomes.results()
}

const checkMechanism = (mechanism: ScramMechanism): number => {
  // Callers without types may say anything.
  if (Object.hasOwn(SCRAM_TYPES, mechanism)) return SCRAM_TYPES[mechanism]
  throw invalidArgument('The mechanism', mechanism, Object.keys(SCRAM_TYPES).join(' or '))
}

/** The password is not shown, whatever it is. */
const checkPassword = (user: string, password: unknown): void => {
  if (typeof password === 'string' && password !== '') return
  throw new OttlaError(
    'INVALID_ARGUMENT',
    `The password of the user ${show(user)} cannot be used; expected a text that is not empty.`,
    { details: { user } },
  )
}

/** The broker refuses it too; here it is before the work. */
const checkIterations = (iterations: number): void => {
  const { min, max } = SCRAM_ITERATIONS
  if (Number.isSafeInteger(iterations) && iterations >= min && iterations <= max) return
  throw new OttlaError(
    'UNACCEPTABLE_CREDENTIAL',
    `The iterations are ${show(iterations)}; expected a whole number from ${min} to ${max}.`,
    { details: { iterations } },
  )
}

const userError = (result: {
  readonly user: string
  readonly errorCode: number
  readonly errorMessage: string | null
}): OttlaError => {
  const { user, errorCode, errorMessage } = result
  const meaning = errorMessage ?? errorFromKafkaCode(errorCode).message
  return errorFromKafkaCode(errorCode, `The user ${user}: ${meaning}`, { details: { user } })
}
