/** What a consumer group waits for, by member: each kind of timer once for each. */
import type { ScheduledTimer } from '../../../runtime/clock.js'

/** What is waited for: a sign of life, partitions to be given up, a classic member that is to join or to sync. */
export type TimerKind = 'session' | 'rebalance' | 'join' | 'sync'

/** The timers of the members of one group. */
export class MemberTimers {
  readonly #timers = new Map<string, Map<TimerKind, ScheduledTimer>>()

  /** Whether one is waited for. */
  has(memberId: string, kind: TimerKind): boolean {
    return this.#timers.get(memberId)?.has(kind) === true
  }

  /** Waits anew. */
  set(memberId: string, kind: TimerKind, timer: ScheduledTimer): void {
    this.cancel(memberId, kind)
    const known = this.#timers.get(memberId)
    if (known === undefined) this.#timers.set(memberId, new Map([[kind, timer]]))
    else known.set(kind, timer)
  }

  /** Whether `timer` is the one that is waited for still: what it fires for may have happened meanwhile. */
  isCurrent(memberId: string, kind: TimerKind, timer: ScheduledTimer): boolean {
    return this.#timers.get(memberId)?.get(kind) === timer
  }

  /** Waits no more for this. */
  cancel(memberId: string, kind: TimerKind): void {
    this.#timers.get(memberId)?.get(kind)?.cancel()
    this.#timers.get(memberId)?.delete(kind)
  }

  /** Waits no more for anything of this member. */
  cancelMember(memberId: string): void {
    for (const timer of this.#timers.get(memberId)?.values() ?? []) timer.cancel()
    this.#timers.delete(memberId)
  }

  /** Waits for nobody. */
  cancelAll(): void {
    for (const memberId of [...this.#timers.keys()]) this.cancelMember(memberId)
  }
}
