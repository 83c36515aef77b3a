/** Timers: many deadlines on one wake-up of the clock. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { Timers } from '../../src/runtime/timers.js'
import { ManualClock } from '../support/manual-clock.js'

describe('Timers', () => {
  it('calls at the deadline, not before, and once', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    let calls = 0
    timers.schedule(100, () => calls++)
    clock.advance(99)
    expect(calls).toBe(0)
    clock.advance(1)
    expect(calls).toBe(1)
    clock.advance(1000)
    expect(calls).toBe(1)
  })

  it('holds no wake-up while there is nothing to wait for', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    expect(clock.pendingCount).toBe(0)
    const timer = timers.schedule(100, () => undefined)
    expect(clock.pendingCount).toBe(1)
    timer.cancel()
    timer.cancel()
    expect([clock.pendingCount, timers.pendingCount]).toEqual([0, 0])
  })

  it('holds one wake-up for many deadlines', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    for (let delay = 1; delay <= 1000; delay++) timers.schedule(delay, () => undefined)
    expect([clock.pendingCount, timers.pendingCount]).toEqual([1, 1000])
  })

  it('keeps the process alive only for deadlines that ask for it', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    timers.schedule(10, () => undefined, { keepAlive: false })
    expect(clock.keepsAlive).toBe(false)
    const busy = timers.schedule(1000, () => undefined)
    expect(clock.keepsAlive).toBe(true)
    busy.cancel()
    expect([clock.keepsAlive, timers.pendingCount]).toEqual([false, 1])
  })

  it('goes on after a callback that throws', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    let called = false
    timers.schedule(10, () => {
      throw new Error('mine')
    })
    timers.schedule(20, () => (called = true))
    expect(() => clock.advance(10)).toThrow('mine')
    clock.advance(10)
    expect(called).toBe(true)
  })

  it('lets a callback cancel what falls due with it, and schedule anew', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    const calls: string[] = []
    timers.schedule(10, () => {
      calls.push('first')
      second.cancel()
      timers.schedule(5, () => calls.push('third'))
    })
    const second = timers.schedule(10, () => calls.push('second'))
    clock.advance(20)
    expect(calls).toEqual(['first', 'third'])
    expect(timers.pendingCount).toBe(0)
  })

  it('forgets everything when cleared, handles included', () => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    const timer = timers.schedule(10, () => expect.unreachable())
    timers.clear()
    timer.cancel()
    clock.advance(100)
    expect([clock.pendingCount, timers.pendingCount]).toEqual([0, 0])
  })

  it('sleeps, and wakes with the reason of an abort', async () => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    const slept = timers.sleep(50)
    const controller = new AbortController()
    const aborted = timers.sleep(50, controller.signal)
    controller.abort(new Error('called off'))
    await expect(aborted).rejects.toThrow('called off')
    expect(timers.pendingCount).toBe(1)
    clock.advance(50)
    await slept
    await expect(timers.sleep(1, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    expect(timers.pendingCount).toBe(0)
  })

  const action = fc.oneof(
    fc.record({ kind: fc.constant('schedule' as const), delay: fc.nat(50), keepAlive: fc.boolean() }),
    fc.record({ kind: fc.constant('cancel' as const), index: fc.nat(30) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(40) }),
  )
  test.prop([fc.array(action, { maxLength: 60 })])('does what a plain list of deadlines does', (actions) => {
    const clock = new ManualClock()
    const timers = new Timers(clock)
    const fired: number[] = []
    const model: {
      id: number
      at: number
      state: 'pending' | 'done'
      keepAlive: boolean
      cancel: () => void
    }[] = []
    for (const step of actions) {
      if (step.kind === 'schedule') {
        const id = model.length
        const timer = timers.schedule(step.delay, () => fired.push(id), { keepAlive: step.keepAlive })
        model.push({
          id,
          at: clock.monotonic() + step.delay,
          state: 'pending',
          keepAlive: step.keepAlive,
          cancel: () => timer.cancel(),
        })
      } else if (step.kind === 'cancel') {
        const entry = model[step.index]
        if (entry === undefined) continue
        entry.cancel()
        entry.state = 'done'
      } else {
        fired.length = 0
        clock.advance(step.ms)
        const due = model.filter(({ at, state }) => state === 'pending' && at <= clock.monotonic())
        for (const entry of due) entry.state = 'done'
        expect([...fired].sort((a, b) => a - b)).toEqual(due.map(({ id }) => id))
        const times = fired.map((id) => model[id]?.at ?? 0)
        expect(times).toEqual([...times].sort((a, b) => a - b))
      }
      const pending = model.filter(({ state }) => state === 'pending')
      expect(timers.pendingCount).toBe(pending.length)
      expect(clock.pendingCount).toBe(pending.length > 0 ? 1 : 0)
      expect(clock.keepsAlive).toBe(pending.some(({ keepAlive }) => keepAlive))
    }
  })
})
