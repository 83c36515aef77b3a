/** DescribeUserScramCredentials: which mechanisms users have credentials for, and how often their passwords are hashed. */
import type { describeUserScramCredentials } from '../../protocol/api/describe-user-scram-credentials.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { NO_ERROR, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Result = ResponseOf<typeof describeUserScramCredentials>['results'][number]

export const handleDescribeUserScramCredentials: Handler<typeof describeUserScramCredentials> = (
  { metadata },
  { users },
) => {
  const counts = new Map<string, number>()
  const isAll = users === null || users.length === 0
  const names = isAll ? [...metadata.scramCredentials.users] : users.map(({ name }) => name)
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return {
    throttleTimeMs: 0,
    ...NO_ERROR,
    results: [...counts].map(([user, count]) => describe(metadata, user, count)),
  }
}

const describe = ({ scramCredentials }: BrokerServices['metadata'], user: string, count: number): Result => {
  const credentials = scramCredentials.of(user)
  const failed = (error: OttlaError): Result => ({ user, ...responseErrorOf(error), credentialInfos: [] })
  if (count > 1) {
    return failed(
      new OttlaError(
        'DUPLICATE_RESOURCE',
        `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`,
      ),
    )
  }
  if (credentials === undefined) {
    return failed(
      new OttlaError(
        'RESOURCE_NOT_FOUND',
        `Attempt to describe a user credential that does not exist: ${user}`,
      ),
    )
  }
  const credentialInfos = [...credentials].map(([mechanism, { iterations }]) => ({ mechanism, iterations }))
  return { user, ...NO_ERROR, credentialInfos }
}
