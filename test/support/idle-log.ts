/**
 * A process with logs that nothing happens in: `idle-log close|leave FOLDER`. Opens one in memory and one on disk,
 * writes and reads a record in each, closes them or leaves them open, and says which resources of Node keep it alive.
 * It ends by itself or not at all.
 */
import { Ottla, string } from 'ottla'

const [end = '', folder = ''] = process.argv.slice(2)

for (const location of [undefined, folder]) {
  const ottla = await Ottla.open(location === undefined ? {} : { location })
  const topic = await ottla.createTopic('t', { value: string })
  await ottla.producer().send(topic, { value: 'here' })
  for await (const { value } of topic.partition(0).read({ to: 'latest' })) console.log(value)
  if (end === 'close') await ottla.close()
}

// What was about to end has ended when the loop went around a few times.
for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
const active = process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'Immediate')
console.log(JSON.stringify(active))
