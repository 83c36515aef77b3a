/** Where a consumer begins without a position, in the forms in which that can be said. */

/** What to do where there is no position, or where it is out of range. */
export type AutoOffsetReset = 'earliest' | 'latest' | 'none' | ResetByDuration | `by_duration:${string}`

/** Back by a duration from the time of the reset. Source: KIP-1106, whose `by_duration:PT1H` says the same. */
export interface ResetByDuration {
  /** How far back, in milliseconds: at the first record that is not older, or at the end if all are. */
  readonly byDurationMs: number
}

const WRITTEN = 'by_duration:'
/**
 * Days, hours, minutes and seconds of ISO 8601, at least one of them, none of them negative: what Java's Duration writes
 * of itself, though not all that it reads.
 */
const DURATION =
  /^P(?=\d|T\d)(?:(?<days>\d+)D)?(?:T(?=\d)(?:(?<hours>\d+)H)?(?:(?<minutes>\d+)M)?(?:(?<seconds>\d+)(?:\.(?<fraction>\d{1,9}))?S)?)?$/

/** How far back `reset` goes, in milliseconds; undefined when it is no duration. */
export const durationMsOf = (reset: unknown): number | undefined => {
  if (typeof reset === 'string')
    return reset.startsWith(WRITTEN) ? parsed(reset.slice(WRITTEN.length)) : undefined
  if (typeof reset !== 'object' || reset === null || !('byDurationMs' in reset)) return undefined
  const { byDurationMs } = reset
  const isAlone = Object.keys(reset).length === 1
  return isAlone && typeof byDurationMs === 'number' && isDuration(byDurationMs) ? byDurationMs : undefined
}

/** Whether it can be said so. */
export const isAutoOffsetReset = (value: unknown): boolean =>
  value === 'earliest' || value === 'latest' || value === 'none' || durationMsOf(value) !== undefined

const isDuration = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0

const parsed = (text: string): number | undefined => {
  const groups = DURATION.exec(text)?.groups
  if (groups === undefined) return undefined
  const { days = 0, hours = 0, minutes = 0, seconds = 0, fraction = '' } = groups
  const wholeMinutes = (Number(days) * 24 + Number(hours)) * 60 + Number(minutes)
  // Digits and not a fraction of a number, which would be a millisecond off now and then.
  const ms = (wholeMinutes * 60 + Number(seconds)) * 1000 + Number(`${fraction}000`.slice(0, 3))
  return isDuration(ms) ? ms : undefined
}
