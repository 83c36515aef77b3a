/** Admin requests that go to the coordinator of a group or a transactional id. */
import type { Channel } from '../../protocol/channel.js'
import type { CoordinatorType } from '../cluster.js'
import type { ClientContext } from '../context.js'
import { mayPass, withRetries } from '../retry.js'

/** What is asked of whom. */
export interface CoordinatorQuestion<T> {
  /** The group or transactional id. */
  readonly of: string
  /** Which of them; default a group. */
  readonly type?: CoordinatorType
  /** Sends the request; throws what the answer has of errors, so that those that pass are tried again. */
  readonly ask: (coordinator: Channel) => Promise<T>
  readonly signal: AbortSignal | undefined
}

/** Asks the coordinator, and looks for it anew where it has moved, is loading or cannot be reached. */
export const askCoordinator = <T>(
  context: ClientContext,
  { of, type = 'group', ask, signal }: CoordinatorQuestion<T>,
): Promise<T> => {
  const { cluster } = context
  const attempt = async (): Promise<T> => {
    const coordinator = await cluster.coordinator(of, { type, signal })
    try {
      return await ask(coordinator)
    } catch (error) {
      if (mayPass(error)) cluster.invalidateCoordinator(of, type)
      throw error
    }
  }
  return withRetries(attempt, { ...context, signal })
}
