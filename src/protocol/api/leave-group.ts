/**
 * LeaveGroup: members leave a classic group at once instead of timing out. From version 3 on several in one request
 * (KIP-345).
 */
import { array, int16, int32, string, defineApi } from '../schema.js'

export const leaveGroup = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: array(
      {
        memberId: string({ since: 3 }),
        groupInstanceId: string({ since: 3, nullable: 3, default: null }),
        reason: string({ since: 5, nullable: 5, default: null, ignorable: true }),
      },
      { since: 3 },
    ),
  },
  response: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    members: array(
      {
        memberId: string({ since: 3 }),
        groupInstanceId: string({ since: 3, nullable: 3 }),
        errorCode: int16({ since: 3 }),
      },
      { since: 3 },
    ),
  },
})
