/** The log of the quickstart: where it is, and its three typed topics. */
import { json, Ottla, string } from 'ottla'
import type { Earthquake, Flight, Route } from './records.js'

/** Opens the log and its topics; the second time they are there already. */
export const openLog = async (folder: string) => {
  const ottla = await Ottla.open(folder)
  // The quickstart may be run a hundred times: retention by size keeps the folder small. Retention by time is off,
  // because these records are years old.
  const configs = { 'retention.bytes': 16_000_000, 'retention.ms': -1 }
  return {
    ottla,
    quakes: await ottla.createTopic('earthquakes', {
      partitions: 2,
      key: string,
      value: json<Earthquake>(),
      configs,
    }),
    flown: await ottla.createTopic('flights', { partitions: 6, key: string, value: json<Flight>(), configs }),
    routed: await ottla.createTopic('routes', { partitions: 2, key: string, value: json<Route>(), configs }),
  }
}

/** The open log. */
export type Log = Awaited<ReturnType<typeof openLog>>

/** How many records there are from `offsets` on, or in all. */
export const recordCount = async ({ ottla, quakes, flown, routed }: Log): Promise<number> => {
  const partitions = [...quakes.partitions(), ...flown.partitions(), ...routed.partitions()]
  const [starts, ends] = await Promise.all([
    ottla.admin.listOffsets(partitions, 'earliest'),
    ottla.admin.listOffsets(partitions, 'latest'),
  ])
  return ends.reduce((sum, end, index) => sum + end.offset - (starts[index]?.offset ?? 0), 0)
}

/** How many records the group has yet to process. */
export const lag = async ({ ottla, quakes, flown, routed }: Log, groupId: string): Promise<number> => {
  const partitions = [...quakes.partitions(), ...flown.partitions(), ...routed.partitions()]
  const [ends, starts, committed] = await Promise.all([
    ottla.admin.listOffsets(partitions, 'latest'),
    ottla.admin.listOffsets(partitions, 'earliest'),
    ottla.admin.listConsumerGroupOffsets(groupId),
  ])
  return ends.reduce((sum, { topic, partition, offset }, index) => {
    const from = committed.find((each) => each.topic === topic && each.partition === partition)?.offset
    return sum + offset - Math.max(from ?? 0, starts[index]?.offset ?? 0)
  }, 0)
}
