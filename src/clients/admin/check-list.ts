/** What a call with several items is given: a text, whose letters could be gone through as well, is refused by name. */
import { invalidArgument } from '../../runtime/errors/ottla-error.js'

/** `list`, which is one. @throws OttlaError INVALID_ARGUMENT when it is something else. */
export const checkList = <T>(what: string, list: readonly T[]): readonly T[] => {
  const isList: boolean = Array.isArray(list)
  if (!isList) throw invalidArgument(what, list, 'a list')
  return list
}
