/** The table of all APIs by what a client needs to use them; an API that is not in it is for nobody. */
import type { Guard } from './check.js'
import { CLUSTER_GUARDS } from './cluster-guards.js'
import { CONSUMER_GROUP_GUARDS } from './consumer-group-guards.js'
import { GROUP_GUARDS } from './group-guards.js'
import { METADATA_GUARDS } from './metadata-guards.js'
import { TOPIC_GUARDS } from './topic-guards.js'
import { TRANSACTION_GUARDS } from './transaction-guards.js'

/** API key to guard. */
export const GUARDS: ReadonlyMap<number, Guard> = new Map(
  [
    ...METADATA_GUARDS,
    ...TOPIC_GUARDS,
    ...GROUP_GUARDS,
    ...CONSUMER_GROUP_GUARDS,
    ...TRANSACTION_GUARDS,
    ...CLUSTER_GUARDS,
  ].map((guard) => [guard.api.key, guard]),
)
