/** What all connections of a listener with SASL share: its mechanisms, and what those work with. */
import type { Broker } from '../../../broker/broker.js'
import type { ScramMechanism } from '../../../protocol/scram.js'
import type { Clock } from '../../../runtime/clock.js'
import type { Random } from '../../../runtime/random.js'
import type { SaslClient, SaslExchange } from './exchange.js'
import { BearerExchange } from './oauthbearer.js'
import { PlainExchange } from './plain.js'
import type { CheckedSaslOptions } from './sasl-options.js'
import { ScramExchange } from './scram.js'

const SECRET_BYTES = 32

/** What SASL works with. */
export interface SaslParts {
  readonly broker: Pick<Broker, 'scramCredential'>
  readonly clock: Clock
  readonly random: Random
}

/** The mechanisms of a listener. */
export class Sasl {
  readonly options: CheckedSaslOptions
  /** The names of the mechanisms, as clients are told them. */
  readonly mechanisms: readonly string[]
  readonly #parts: SaslParts
  readonly #begin: ReadonlyMap<string, (client: SaslClient) => SaslExchange>

  constructor(options: CheckedSaslOptions, parts: SaslParts) {
    this.options = options
    this.#parts = parts
    const { plain, scram, oauthbearer } = options
    const secret = parts.random.bytes(SECRET_BYTES)
    const begin = new Map<string, (client: SaslClient) => SaslExchange>()
    if (plain !== undefined) begin.set('PLAIN', (client) => new PlainExchange(plain, client))
    for (const mechanism of scram) begin.set(mechanism, () => this.#scram(mechanism, secret))
    if (oauthbearer !== undefined)
      begin.set('OAUTHBEARER', (client) => new BearerExchange(oauthbearer, client, () => this.now()))
    this.#begin = begin
    this.mechanisms = [...begin.keys()]
  }

  /** Begins an authentication; undefined for a mechanism that this listener does not have. */
  begin(mechanism: string, client: SaslClient): SaslExchange | undefined {
    return this.#begin.get(mechanism)?.(client)
  }

  now(): number {
    return this.#parts.clock.now()
  }

  monotonic(): number {
    return this.#parts.clock.monotonic()
  }

  #scram(mechanism: ScramMechanism, secret: Uint8Array): ScramExchange {
    const { random, broker } = this.#parts
    return new ScramExchange({
      mechanism,
      secret,
      random,
      credential: (user, of) => broker.scramCredential(user, of),
    })
  }
}
