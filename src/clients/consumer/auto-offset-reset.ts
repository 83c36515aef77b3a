/** Where a consumer begins without a position, in the forms in which that can be said. */

/** What to do where there is no position, or where it is out of range. */
export type AutoOffsetReset = 'earliest' | 'latest' | 'none' | ResetByDuration | `by_duration:${string}`

/** Back by a duration from the time of the reset. Source: KIP-1106, whose `by_duration:PT1H` says the same. */
export interface ResetByDuration {
  /** How far back, in milliseconds: at the first record that is not older, or at the end if all are. */
  readonly byDurationMs: number
}

const WRITTEN = 'by_duration:'
/** Days, hours, minutes and seconds of ISO 8601, as Java's Duration reads them; at least one of them. */
const DURATION = /^P(?=\d|T\d)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/

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
  const [all, days = '0', hours = '0', minutes = '0', seconds = '0'] = DURATION.exec(text) ?? []
  if (all === undefined) return undefined
  const ms = Math.floor(
    ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000,
  )
  return isDuration(ms) ? ms : undefined
}
