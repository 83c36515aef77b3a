/**
 * Regular expressions that members subscribe with. Kafka reads them with RE2/J, which knows neither backreferences nor
 * assertions that look around; here JavaScript reads them, and what RE2 does not know is refused.
 */
import { OttlaError } from '../../../runtime/errors/ottla-error.js'

/** The names among `names` that all of `regex` matches, in order. */
export const matchingTopics = (regex: string, names: Iterable<string>): string[] => {
  const compiled = compile(regex)
  return [...names].filter((name) => compiled.test(name)).sort()
}

/**
 * Checks an expression.
 * @throws OttlaError INVALID_REGULAR_EXPRESSION.
 */
export const checkTopicRegex = (regex: string): void => {
  compile(regex)
}

const compile = (regex: string): RegExp => {
  try {
    return new RegExp(`^(?:${regex})$`, 'u')
  } catch (error) {
    throw new OttlaError(
      'INVALID_REGULAR_EXPRESSION',
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${error instanceof Error ? error.message : ''}.`,
    )
  }
}
