/** The certificates and keys that the command line names. */
import type { TlsOptions } from 'ottla'
import { readUtf8 } from '../runtime/bytes.js'
import { invalidArgument } from '../runtime/errors/ottla-error.js'
import type { Files } from '../runtime/files.js'
import type { TlsFiles } from './settings.js'

/**
 * Reads them.
 * @throws OttlaError INVALID_ARGUMENT for a file that is not there, or holds no PEM.
 */
export const readTls = async (names: TlsFiles, files: Files): Promise<TlsOptions> => {
  // One after the other: what is refused first does not depend on which file is read faster.
  const cert = await readPem('--tls-cert', names.cert, files)
  const key = await readPem('--tls-key', names.key, files)
  const ca = names.ca === undefined ? undefined : await readPem('--tls-ca', names.ca, files)
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    requireClientCertificate: names.requireClientCertificate,
  }
}

const readPem = async (option: string, path: string, files: Files): Promise<string> => {
  const bytes = await files.read(path)
  if (bytes === undefined) throw invalidArgument(option, path, 'a file that is there')
  const text = readUtf8(bytes, 0, bytes.length)
  if (!text.includes('-----BEGIN ')) throw invalidArgument(option, path, 'a file in PEM')
  return text
}
