/** Events: typed listeners that cannot harm the emitter. */
import { describe, expect, it, vi } from 'vitest'
import { Events } from '../../src/runtime/events.js'

interface Sample extends Record<string, readonly unknown[]> {
  done: [count: number, name: string]
}

describe('Events', () => {
  it('calls listeners in their order, with their arguments, until they are off', () => {
    const events = new Events<Sample>()
    const calls: string[] = []
    const second = (count: number, name: string): void => void calls.push(`second ${count} ${name}`)
    events.once('done', () => calls.push('once'))
    events.on('done', second)
    expect(events.has('done')).toBe(true)
    events.emit('done', 1, 'a')
    events.emit('done', 2, 'b')
    events.off('done', second)
    events.emit('done', 3, 'c')
    expect(calls).toEqual(['once', 'second 1 a', 'second 2 b'])
    expect(events.has('done')).toBe(false)
  })

  it('reaches every listener though one throws, whose error comes out on its own', () => {
    const tasks: (() => void)[] = []
    vi.stubGlobal('queueMicrotask', (task: () => void) => tasks.push(task))
    try {
      const events = new Events<Sample>()
      const reached: number[] = []
      events.on('done', () => {
        throw new Error('a listener failed')
      })
      events.on('done', (count) => reached.push(count))
      expect(() => events.emit('done', 7, 'x')).not.toThrow()
      expect(reached).toEqual([7])
      expect(tasks).toHaveLength(1)
      expect(() => tasks[0]?.()).toThrow('a listener failed')
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
