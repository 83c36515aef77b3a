/**
 * A switch breaks one rule of INVARIANTS in the source, so that the tests can be seen to notice. Nothing is written to
 * disk: the broken file exists in the memory of the test run only that `OTTLA_SWITCH` names the switch for.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Switch {
  /** The rule that it breaks: L1, C4, T5. */
  readonly rule: string
  /** What happens instead. */
  readonly breaks: string
  /** The file of the source, from the root of the repository. */
  readonly file: string
  /** A passage that occurs in it once. */
  readonly find: string
  /** What stands there instead. */
  readonly replace: string
  /** The test files of which one must fail. */
  readonly tests: readonly string[]
}

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The name that the environment variable `OTTLA_SWITCH` selects a switch by. */
export const nameOf = ({ rule, breaks }: Switch): string => `${rule}: ${breaks}`

/** The source with the rule broken. @throws Error when the passage is not there, or not once. */
export const broken = ({ file, find, replace }: Switch, source: string): string => {
  const [before, after, ...more] = source.split(find)
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(
      `${file} should have this once, but has it ${more.length === 0 ? 0 : more.length + 1} times: ${find}`,
    )
  return before + replace + after
}

/** The file as it is in the repository. */
export const sourceOf = ({ file }: Switch): string =>
  readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
