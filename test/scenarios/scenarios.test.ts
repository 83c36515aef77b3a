/**
 * Behaviour compared, not remembered: scenarios whose answers were taken from Apache Kafka, played on an Ottla over a
 * socket. `npm run test:interop -- scenarios` plays the same ones on an Apache Kafka.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ottla } from '../../src/ottla.js'
import { AREAS } from './areas.js'
import { play } from './play.js'

describe('scenarios', () => {
  let ottla: Ottla
  let port: number

  beforeAll(async () => {
    ottla = await Ottla.open()
    ;({ port } = await ottla.listen())
  })
  afterAll(() => ottla.close())

  for (const { name, scenarios } of AREAS) {
    describe(name, () => {
      for (const scenario of scenarios) {
        if (scenario.ottlaDiffers === undefined) it(scenario.name, () => play(scenario, port))
        // It is shown that it still differs: a line that says so and is not true any more would be a lie.
        else it.fails(`${scenario.name} (differs: ${scenario.ottlaDiffers})`, () => play(scenario, port))
      }
    })
  }

  it('have names of their own, and say where they come from', () => {
    const names = AREAS.flatMap(({ name, scenarios }) => scenarios.map((each) => `${name}: ${each.name}`))
    expect(new Set(names).size).toBe(names.length)
    for (const { scenarios } of AREAS) {
      for (const { source } of scenarios) expect(source).toMatch(/^[A-Z]\w+/)
    }
  })
})
