/** What the quickstart learns from the records it consumes. */
import type { Earthquake, Flight, Route } from './records.js'

/** Sums that grow as records are consumed. */
export class Statistics {
  readonly #strongest = new Map<string, { readonly quake: Earthquake; readonly timestamp: number }>()
  readonly #departures = new Map<string, number>()
  readonly #delays = new Map<string, { minutes: number; flights: number }>()
  miles = 0

  earthquake(quake: Earthquake, timestamp: number): void {
    this.#strongest.set(quake.id, { quake, timestamp })
  }

  flight(hour: string, flight: Flight): void {
    const delay = this.#delays.get(hour) ?? { minutes: 0, flights: 0 }
    delay.minutes += flight.delayMinutes
    delay.flights++
    this.#delays.set(hour, delay)
    this.miles += flight.distanceMiles
  }

  route(origin: string, route: Route): void {
    this.#departures.set(origin, (this.#departures.get(origin) ?? 0) + route.flights)
  }

  strongestEarthquakes(count: number): { readonly quake: Earthquake; readonly timestamp: number }[] {
    return [...this.#strongest.values()].sort((a, b) => b.quake.magnitude - a.quake.magnitude).slice(0, count)
  }

  busiestAirports(count: number): (readonly [airport: string, flights: number])[] {
    return [...this.#departures].sort(([, a], [, b]) => b - a).slice(0, count)
  }

  /** Average delay in minutes by hour of departure, for hours with enough flights to say so. */
  delaysByHour(): (readonly [hour: string, minutes: number])[] {
    return [...this.#delays]
      .filter(([, delay]) => delay.flights >= 100)
      .map(([hour, delay]) => [hour, delay.minutes / delay.flights] as const)
      .sort(([a], [b]) => a.localeCompare(b))
  }
}
