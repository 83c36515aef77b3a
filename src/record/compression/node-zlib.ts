/** Node's own zlib: the one place of the record layer that touches Node, and only when a batch needs it. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { optionalPackage } from './optional-package.js'

type Callback = (error: Error | null, result: Uint8Array) => void

/** What Node's zlib has of Zstandard from 22.15 on. */
interface NodeZstd {
  zstdCompress(input: Uint8Array, callback: Callback): void
  zstdDecompress(input: Uint8Array, options: { readonly maxOutputLength: number }, callback: Callback): void
}

/** Loads zlib. @throws OttlaError CODEC_MISSING where there is no Node. */
export const nodeZlib: () => Promise<typeof import('node:zlib')> = optionalPackage(
  'gzip',
  'node:zlib',
  () => import('node:zlib'),
)

const hasZstd = (zlib: object): zlib is NodeZstd => 'zstdCompress' in zlib && 'zstdDecompress' in zlib

/** Node's Zstandard; undefined before Node 22.15 and where there is no Node. */
export const nodeZstd = async (): Promise<NodeZstd | undefined> => {
  const zlib: object = await nodeZlib().catch((error: unknown) => {
    if (OttlaError.is(error, 'CODEC_MISSING')) return {}
    throw error
  })
  return hasZstd(zlib) ? zlib : undefined
}

/** Calls one of zlib's functions with callbacks as a promise. */
export const zlibResult = (start: (callback: Callback) => void): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })

/** Whether `error` is zlib's way to say that the output would be larger than allowed. */
export const isOutputTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
