/** The options of SASL, and which listeners other machines may reach. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Ottla, type ListenerOptions } from '../../../src/index.js'

const file = (name: string): string => readFileSync(new URL(`../../cli/tls/${name}`, import.meta.url), 'utf8')
const tls = { cert: file('server.pem'), key: file('server-key.pem') }
const mutualTls = { ...tls, ca: file('ca.pem'), requireClientCertificate: true }
const sasl = { plain: { alice: 'secret' } }

let ottla: Ottla
beforeEach(async () => {
  ottla = await Ottla.open()
})
afterEach(() => ottla.close())

describe('an address that other machines reach', () => {
  it.each<[string, ListenerOptions]>([
    ['nothing', {}],
    ['SASL', { sasl }],
    ['TLS', { tls }],
    ['TLS that takes any certificate', { tls: { ...mutualTls, requireClientCertificate: false } }],
  ])('is refused with %s alone', async (_what, options) => {
    await expect(ottla.listen({ host: '0.0.0.0', ...options })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it.each<[string, ListenerOptions, string]>([
    ['TLS and SASL', { tls, sasl }, 'listener SASL_SSL'],
    ['TLS with certificates of clients', { tls: mutualTls }, 'listener SSL'],
    ['insecure written', { insecure: true }, 'listener PLAINTEXT'],
    ['insecure written, and SASL', { sasl, insecure: true }, 'listener SASL_PLAINTEXT'],
  ])('is listened on with %s', async (_what, options, name) => {
    const listener = await ottla.listen({ host: '0.0.0.0', ...options })
    expect(listener.name).toBe(name)
  })
})

describe('the options', () => {
  it.each<[object, string, string]>([
    [{}, 'INVALID_ARGUMENT', 'at least one of plain, scram and oauthbearer'],
    [{ plian: {} }, 'UNKNOWN_OPTION', 'Did you mean plain?'],
    [{ plain: 'text' }, 'INVALID_ARGUMENT', 'passwords by user, or a function'],
    [{ plain: { alice: 'secret', bob: '' } }, 'INVALID_ARGUMENT', 'no usable password for the user "bob"'],
    [{ plain: { '': 'secret' } }, 'INVALID_ARGUMENT', 'no usable password for the user ""'],
    [{ plain: { alice: ['secret'] } }, 'INVALID_ARGUMENT', 'no usable password for the user "alice"'],
    [{ scram: ['SCRAM-SHA-1'] }, 'INVALID_ARGUMENT', 'SCRAM-SHA-256'],
    [{ scram: [] }, 'INVALID_ARGUMENT', 'SCRAM-SHA-256'],
    [{ oauthbearer: true }, 'INVALID_ARGUMENT', 'a function'],
    [{ ...sasl, connectionsMaxReauthMs: -1 }, 'INVALID_ARGUMENT', 'at least 0'],
    [{ ...sasl, connectionFailedAuthenticationDelayMs: 60_001 }, 'INVALID_ARGUMENT', '60000'],
    [{ ...sasl, saslServerMaxReceiveSize: 10 }, 'INVALID_ARGUMENT', '1024'],
  ])('%o is refused, and no password shown', async (given, code, message) => {
    const error: unknown = await ottla.listen({ sasl: given }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
    expect(JSON.stringify([error, String(error)])).not.toContain('secret')
  })
})
