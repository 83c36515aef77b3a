/** Budget, abort and lifecycle: what waits, how it is called off, and how it ends. */
import { describe, expect, it } from 'vitest'
import { abortable, anySignal, deferred } from '../../src/runtime/abort.js'
import { Budget } from '../../src/runtime/budget.js'
import { Resource } from '../../src/runtime/lifecycle.js'

const code = (name: string): unknown => expect.objectContaining({ code: name })

describe('Budget', () => {
  it('serves those who wait in their order, a large one before small ones behind it', async () => {
    const budget = new Budget('bytes', 10)
    expect(budget.tryAcquire(8)).toBe(true)
    const order: string[] = []
    const large = budget.acquire(9).then(() => order.push('large'))
    const small = budget.acquire(1).then(() => order.push('small'))
    expect(budget.tryAcquire(1)).toBe(false)
    budget.release(8)
    await Promise.all([large, small])
    expect(order).toEqual(['large', 'small'])
    expect(budget.used).toBe(10)
  })

  it('lets more than the limit through when nothing else is held', async () => {
    const budget = new Budget('bytes', 10)
    await budget.acquire(25)
    expect(budget.tryAcquire(1)).toBe(false)
    budget.release(25)
    expect(budget.tryAcquire(1)).toBe(true)
  })

  it('admits those behind a wait that was called off', async () => {
    const budget = new Budget('bytes', 10)
    budget.tryAcquire(5)
    const controller = new AbortController()
    const large = budget.acquire(6, controller.signal)
    const small = budget.acquire(5)
    controller.abort(new Error('enough'))
    await expect(large).rejects.toThrow('enough')
    await small
    expect(budget.used).toBe(10)
    await expect(budget.acquire(1, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
  })

  it('does not take for a wait that is called off after it was admitted', async () => {
    const budget = new Budget('bytes', 1)
    budget.tryAcquire(1)
    const controller = new AbortController()
    const waiting = budget.acquire(1, controller.signal)
    budget.release(1)
    controller.abort(new Error('too late'))
    await waiting
    expect(budget.used).toBe(1)
  })

  it('refuses to be given back more than was taken', () => {
    const budget = new Budget('bytes', 10)
    budget.tryAcquire(2)
    expect(() => budget.release(3)).toThrow(code('INTERNAL_ERROR'))
  })
})

describe('abort', () => {
  it('settles as the promise does, or with the reason of the signal', async () => {
    const controller = new AbortController()
    await expect(abortable(Promise.resolve(1), controller.signal)).resolves.toBe(1)
    await expect(abortable(Promise.reject(new Error('own')), controller.signal)).rejects.toThrow('own')
    const never = abortable(deferred<never>().promise, controller.signal)
    controller.abort(new Error('called off'))
    await expect(never).rejects.toThrow('called off')
    await expect(abortable(Promise.reject(new Error('own')), controller.signal)).rejects.toThrow('called off')
    const promise = Promise.resolve(1)
    expect(abortable(promise, undefined)).toBe(promise)
  })

  it('makes one signal of several', () => {
    const first = new AbortController()
    const second = new AbortController()
    expect(anySignal(undefined, undefined)).toBeUndefined()
    expect(anySignal(undefined, first.signal)).toBe(first.signal)
    const both = anySignal(first.signal, second.signal)
    second.abort()
    expect(both?.aborted).toBe(true)
  })
})

describe('Resource', () => {
  class Part extends Resource {
    readonly #log: string[]
    readonly #failure: string | undefined
    constructor(name: string, log: string[], parent?: Resource, failure?: string) {
      super(name, parent)
      this.#log = log
      this.#failure = failure
    }
    use(): void {
      this.assertOpen()
    }
    protected override beforeClose(): void {
      this.#log.push(`drain ${this.name}`)
    }
    protected override onClose(): void {
      this.#log.push(`close ${this.name}`)
      if (this.#failure !== undefined) throw new Error(this.#failure)
    }
  }

  it('drains, closes its children in reverse order, then itself; once', async () => {
    const log: string[] = []
    const root = new Part('root', log)
    new Part('a', log, root)
    new Part('b', log, root)
    const closing = root.close()
    expect(root.close()).toBe(closing)
    expect(root.isClosed).toBe(true)
    await closing
    expect(log).toEqual(['drain root', 'drain b', 'close b', 'drain a', 'close a', 'close root'])
  })

  it('is closed to use and to new children from the first call on', async () => {
    const root = new Part('root', [])
    root.use()
    const closing = root.close()
    expect(() => root.use()).toThrow(code('RESOURCE_CLOSED'))
    expect(() => new Part('late', [], root)).toThrow(code('RESOURCE_CLOSED'))
    await closing
    expect(root.closeSignal.aborted).toBe(true)
    expect(root.closeSignal.reason).toEqual(code('RESOURCE_CLOSED'))
  })

  it('forgets a child that closed before', async () => {
    const log: string[] = []
    const root = new Part('root', log)
    await using child = new Part('child', log, root)
    await child.close()
    await root.close()
    expect(log).toEqual(['drain child', 'close child', 'drain root', 'close root'])
  })

  it('closes everything in spite of errors, and tells them all', async () => {
    const log: string[] = []
    const one = new Part('one', log, undefined, 'alone')
    await expect(one.close()).rejects.toThrow('alone')
    const root = new Part('root', log, undefined, 'root failed')
    new Part('a', log, root, 'a failed')
    new Part('b', log, root)
    const error: unknown = await root.close().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors.map(String)).toEqual(['Error: a failed', 'Error: root failed'])
    expect(log).toContain('close b')
  })
})
