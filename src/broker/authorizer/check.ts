/**
 * What a check of a request is made of. A check takes from a request what the client may not, and puts the refusals of
 * that into the response; the handler in between knows nothing of it.
 */
import type { AclOperation, AclResourceType } from '../../protocol/acl.js'
import type { Api, RequestOf, ResponseOf } from '../../protocol/schema.js'
import type { Access } from './access.js'

/** A permission that a check asks for. */
export interface Need {
  readonly operation: AclOperation
  readonly resourceType: AclResourceType
}

/** What a check leaves of a request and how its response is completed, or that it is answered already. */
type Outcome<A> =
  | { readonly answer: ResponseOf<A> }
  | { readonly request: RequestOf<A>; readonly complete?: (response: ResponseOf<A>) => ResponseOf<A> }

/** One check of the requests of an API. */
export interface Check<A> {
  readonly needs: readonly Need[]
  readonly run: (access: Access, request: RequestOf<A>) => Outcome<A>
}

/** All checks of an API, one after the other; which types they share is known only to {@link guard}. */
export interface Guard {
  readonly api: Api
  readonly needs: readonly Need[]
  /** Answers a request, by `handle` as far as the client may. */
  readonly answer: (access: Access, request: never, handle: never) => Promise<unknown>
}

/** Puts the checks of an API together. One without any is for everybody. */
export const guard = <A extends Api>(api: A, ...checks: readonly Check<A>[]): Guard => ({
  api,
  needs: checks.flatMap(({ needs }) => needs),
  answer: async (
    access: Access,
    request: RequestOf<A>,
    handle: (request: RequestOf<A>) => Promise<ResponseOf<A>>,
  ): Promise<ResponseOf<A>> => {
    const completions: ((response: ResponseOf<A>) => ResponseOf<A>)[] = []
    let left = request
    let answer: ResponseOf<A> | undefined
    for (const { run } of checks) {
      const outcome = run(access, left)
      if ('answer' in outcome) {
        answer = outcome.answer
        break
      }
      left = outcome.request
      if (outcome.complete !== undefined) completions.push(outcome.complete)
    }
    const response = answer ?? (await handle(left))
    return completions.reduceRight((completed, complete) => complete(completed), response)
  },
})

/** A check of the whole request, which is refused with `refused`; `nameOf` says of which resource, null for none. */
export const whole = <A extends Api>(
  _api: A,
  operation: AclOperation,
  resourceType: AclResourceType,
  nameOf: (request: RequestOf<A>) => string | null,
  refused: (request: RequestOf<A>) => ResponseOf<A>,
): Check<A> => ({
  needs: [{ operation, resourceType }],
  run: (access, request) => {
    const name = nameOf(request)
    return name === null || access.may(operation, resourceType, name)
      ? { request }
      : { answer: refused(request) }
  },
})

/** The parts of a request whose items are checked each for itself. */
interface Items<A, I> {
  readonly of: (request: RequestOf<A>) => readonly I[]
  /** The resource's name; undefined for an item that is none of this check's business. */
  readonly name: (item: I, access: Access) => string | undefined
  /** The request with these items alone. */
  readonly keep: (request: RequestOf<A>, items: readonly I[]) => RequestOf<A>
  /** The response with the refusals of those. */
  readonly add: (response: ResponseOf<A>, refused: readonly I[]) => ResponseOf<A>
}

/** A check of each item of a request. */
export const each = <A extends Api, I>(
  _api: A,
  operation: AclOperation,
  resourceType: AclResourceType,
  { of, name, keep, add }: Items<A, I>,
): Check<A> => ({
  needs: [{ operation, resourceType }],
  run: (access, request) => {
    const allowed: I[] = []
    const refused: I[] = []
    for (const item of of(request)) {
      const resource = name(item, access)
      const isAllowed = resource === undefined || access.may(operation, resourceType, resource)
      ;(isAllowed ? allowed : refused).push(item)
    }
    if (refused.length === 0) return { request }
    return { request: keep(request, allowed), complete: (response) => add(response, refused) }
  },
})

/** What the client may not see of a response is taken from it. */
export const shown = <A extends Api>(
  _api: A,
  needs: readonly Need[],
  show: (access: Access, response: ResponseOf<A>, request: RequestOf<A>) => ResponseOf<A>,
): Check<A> => ({
  needs,
  run: (access, request) => ({ request, complete: (response) => show(access, response, request) }),
})
