/** DescribeAcls: the access control entries that a filter lets through, by what they are for. */
import type { describeAcls } from '../../protocol/api/describe-acls.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { filterProblemOf } from '../authorizer/acl-changes.js'
import { NO_ERROR, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

type Resource = ResponseOf<typeof describeAcls>['resources'][number]

export const handleDescribeAcls: Handler<typeof describeAcls> = ({ metadata }, request) => {
  const problem = filterProblemOf(request)
  if (problem !== undefined) return { throttleTimeMs: 0, ...responseErrorOf(problem), resources: [] }
  const resources = new Map<string, Resource & { readonly acls: Resource['acls'][number][] }>()
  for (const acl of metadata.acls.matching(request)) {
    const { resourceType, resourceName, patternType, principal, host, operation, permissionType } = acl
    const key = `${resourceType} ${patternType} ${resourceName}`
    const resource = resources.get(key) ?? { resourceType, resourceName, patternType, acls: [] }
    resource.acls.push({ principal, host, operation, permissionType })
    resources.set(key, resource)
  }
  return { throttleTimeMs: 0, ...NO_ERROR, resources: [...resources.values()] }
}
