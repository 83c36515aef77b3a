/** gzip (RFC 1952), by Node's own zlib on its thread pool. */
import type { Codec } from './bounded-codec.js'
import { tooLarge } from './bounded-codec.js'
import { isOutputTooLarge, nodeZlib, zlibResult } from './node-zlib.js'

/** The gzip codec. */
export const gzip: Codec = {
  async compress(plain) {
    const zlib = await nodeZlib()
    return zlibResult((callback) => zlib.gzip(plain, callback))
  },

  async decompress(compressed, maxBytes) {
    const zlib = await nodeZlib()
    try {
      // zlib stops as soon as the output passes the limit.
      return await zlibResult((callback) => zlib.gunzip(compressed, { maxOutputLength: maxBytes }, callback))
    } catch (error) {
      if (isOutputTooLarge(error)) throw tooLarge('gzip', undefined, maxBytes)
      throw error
    }
  },
}
