/** What a storage can promise of a write, held against what is asked of it. */
import { invalidArgument, type OttlaError } from '../runtime/errors/ottla-error.js'
import type { Durability, StorageCapabilities } from './contract.js'

/** The error for a durability that the storage cannot give; undefined when it can. */
export const durabilityRefusal = (
  storage: string,
  capabilities: StorageCapabilities,
  asked: Durability,
): OttlaError | undefined =>
  asked === 'fsync' && capabilities.durability !== 'fsync'
    ? invalidArgument(
        `The durability asked of ${storage} storage`,
        asked,
        "'os': it has no disk of its own to flush",
      )
    : undefined
