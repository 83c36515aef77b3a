/** All areas. */
import { deleteRecordsArea } from './areas/delete-records.js'
import { fetchArea } from './areas/fetch.js'
import { groupsArea } from './areas/groups.js'
import { produceArea } from './areas/produce.js'
import { staticMembersArea } from './areas/static-members.js'
import type { Area } from './scenario.js'

export const AREAS: readonly Area[] = [
  produceArea,
  fetchArea,
  deleteRecordsArea,
  groupsArea,
  staticMembersArea,
]
