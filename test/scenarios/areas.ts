/** All areas. */
import { aclsArea } from './areas/acls.js'
import { configsArea } from './areas/configs.js'
import { consumerGroupsArea } from './areas/consumer-groups.js'
import { deleteRecordsArea } from './areas/delete-records.js'
import { fetchArea } from './areas/fetch.js'
import { groupsArea } from './areas/groups.js'
import { offsetsArea } from './areas/offsets.js'
import { olderVersionsArea } from './areas/older-versions.js'
import { produceArea } from './areas/produce.js'
import { securityArea } from './areas/security.js'
import { staticMembersArea } from './areas/static-members.js'
import { topicsArea } from './areas/topics.js'
import { transactionsArea } from './areas/transactions.js'
import { versionsArea } from './areas/versions.js'
import type { Area } from './scenario.js'

export const AREAS: readonly Area[] = [
  produceArea,
  fetchArea,
  deleteRecordsArea,
  groupsArea,
  consumerGroupsArea,
  staticMembersArea,
  offsetsArea,
  transactionsArea,
  topicsArea,
  configsArea,
  securityArea,
  aclsArea,
  versionsArea,
  olderVersionsArea,
]
