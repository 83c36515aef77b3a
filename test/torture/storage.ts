/** The suite `storage`: every storage on disk, tortured in five ways, and all of them beside the naive model. */
import type { Suite } from '../support/suite-command.js'
import { Children } from './children.js'
import { subjects } from './storages.js'
import { fullDiskRounds } from './storage/full-disk.js'
import { killRounds } from './storage/kills.js'
import { modelRuns } from './storage/model.js'
import { OPERATIONS, operate, STOPS } from './storage/surgery.js'
import { rivalRounds } from './storage/rivals.js'
import { powerLossRounds } from './storage/power-loss.js'

/** A case has its time; a long part is several. */
const ROUNDS_A_CASE = 50

/** How many drawn histories each storage in memory goes through in a round of the model; those on disk a tenth. */
const MODEL_RUNS = 400

/** Kills, full disks, damaged files, fights for the folder, power failures. */
export const storage: Suite = {
  name: 'storage',
  summary: 'storages lose nothing to kills, full disks, damage, rivals and power failures',
  defaultRounds: 500,
  async run({ rounds, seed, check, options }) {
    const all = subjects(options)
    const children = await Children.build()
    const storages = [...new Set(all.map((subject) => subject.storage))]
    const share = (part: number, of: number): number => Math.max(1, Math.ceil(part / of))
    const only = (part: string): boolean => (options.part ?? part) === part

    for (const subject of only('kills') ? all : []) {
      const name = `kills: ${subject.storage.name}, ${subject.durability}`
      const count = share(rounds, all.length)
      for (let first = 0; first < count; first += ROUNDS_A_CASE) {
        const part = { children, seed, first, count: Math.min(ROUNDS_A_CASE, count - first) }
        await check(name, () => killRounds(subject, part))
      }
    }
    for (const subject of only('full-disk') ? all : []) {
      const name = `full disk: ${subject.storage.name}, ${subject.durability}`
      await check(name, () => fullDiskRounds(subject, seed, share(rounds, 5)))
    }
    for (const each of only('surgery') ? storages : []) {
      for (const stop of STOPS) {
        for (const operation of OPERATIONS) {
          const part = { children, seed, count: 2 * share(rounds, storages.length) }
          const name = `surgery: ${each.name}, ${operation} after a ${stop}`
          await check(name, () => operate(each, stop, operation, part))
        }
      }
    }
    for (const each of only('rivals') ? storages : []) {
      const count = share(rounds, 10 * storages.length)
      const part = { children, seed, first: 0, count }
      await check(`rivals: ${each.name}`, () => rivalRounds(each, part))
    }
    for (const each of only('power-loss') ? storages : []) {
      const count = share(rounds, 10 * storages.length)
      for (let first = 0; first < count; first += ROUNDS_A_CASE) {
        const part = { children, seed, first, count: Math.min(ROUNDS_A_CASE, count - first) }
        await check(`power loss: ${each.name}, fsync and mixed`, () => powerLossRounds(each, part))
      }
    }
    for (let round = 0; only('model') && round < share(rounds, 50); round++) {
      await check(`model: every storage, seed ${seed + round}`, () => modelRuns(seed + round, MODEL_RUNS))
    }
  },
}
