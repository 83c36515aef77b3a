/**
 * A process that is killed while it writes: `acknowledged-writer FOLDER os|fsync`. It says the value of every record
 * that was acknowledged, one a line, before it sends more.
 */
import { writeSync } from 'node:fs'
import { int32, Ottla } from 'ottla'

const [folder = '', durability = 'os'] = process.argv.slice(2)

const ottla = await Ottla.open({ location: folder, durability: durability === 'fsync' ? 'fsync' : 'os' })
const topic = await ottla.createTopic('t', { partitions: 3, value: int32 })
const producer = ottla.producer()
for (let value = 0; ; value += 4) {
  const records = Array.from({ length: 4 }, (_, index) => ({ value: value + index, partition: index % 3 }))
  const stored = await producer.send(topic, records)
  writeSync(1, stored.map(({ partition, offset }, i) => `${partition} ${offset} ${value + i}\n`).join(''))
}
