/**
 * The real records of the quickstart, from the npm package vega-datasets (BSD-3): a week of earthquakes as the USGS
 * reported them, 231,083 US flights, and how often each US route was flown in 2008.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

/** One earthquake of the first week of February 2018. */
export interface Earthquake {
  readonly id: string
  readonly magnitude: number
  readonly place: string
  readonly depthKm: number
}

/** One flight. */
export interface Flight {
  readonly delayMinutes: number
  readonly distanceMiles: number
}

/** How many flights there were from one airport to another in 2008. */
export interface Route {
  readonly destination: string
  readonly flights: number
}

/** A record on its way into a topic. */
export interface Keyed<V> {
  readonly key: string
  readonly value: V
  readonly timestamp?: number
}

const dataFile = (name: string): string =>
  createRequire(import.meta.url)
    .resolve('vega-datasets/package.json')
    .replace(/package\.json$/, `data/${name}`)

const readJson = async (name: string): Promise<unknown> => JSON.parse(await readFile(dataFile(name), 'utf8'))

interface Feature {
  readonly id: string
  readonly properties: {
    readonly mag: number | null
    readonly place: string
    readonly time: number
    readonly net: string
  }
  readonly geometry: { readonly coordinates: readonly [longitude: number, latitude: number, depthKm: number] }
}

/** The earthquakes in the order in which they happened, keyed by the seismic network that reported them. */
export const earthquakes = async (): Promise<Keyed<Earthquake>[]> => {
  const { features } = (await readJson('earthquakes.json')) as { readonly features: readonly Feature[] }
  return features
    .map(({ id, properties: { mag, place, time, net }, geometry }) => ({
      key: net,
      value: { id, magnitude: mag ?? 0, place, depthKm: geometry.coordinates[2] },
      timestamp: time,
    }))
    .sort((a, b) => a.timestamp - b.timestamp)
}

/** The flights, keyed by the hour of their departure. */
export const flights = async (): Promise<Keyed<Flight>[]> => {
  const rows = (await readJson('flights-200k.json')) as readonly {
    delay: number
    distance: number
    time: number
  }[]
  return rows.map(({ delay, distance, time }) => ({
    key: `${Math.floor(time).toString().padStart(2, '0')}:00`,
    value: { delayMinutes: delay, distanceMiles: distance },
  }))
}

/** The routes, keyed by the airport they start from. */
export const routes = async (): Promise<Keyed<Route>[]> => {
  const [, ...lines] = (await readFile(dataFile('flights-airport.csv'), 'utf8')).trim().split('\n')
  return lines.map((line) => {
    const [origin = '', destination = '', count = '0'] = line.split(',')
    return { key: origin, value: { destination, flights: Number(count) } }
  })
}

/** The city of each airport, by its IATA code. */
export const airportCities = async (): Promise<Map<string, string>> => {
  const [, ...lines] = (await readFile(dataFile('airports.csv'), 'utf8')).trim().split('\n')
  return new Map(
    lines
      .map((line) => line.split(','))
      .map(([iata = '', , city = '', state = '']) => [iata, `${city}, ${state}`]),
  )
}
