/** How optional packages are loaded: when first used, once, and with an error that names what to install. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'

/**
 * A function that loads an optional package by `load` when first called and keeps it. A failure is not kept, so
 * that a package installed meanwhile is found.
 * @throws OttlaError CODEC_MISSING, from the function, when the package or its build for this platform is missing.
 */
export const optionalPackage = <T>(
  codec: string,
  packageName: string,
  load: () => Promise<T>,
): (() => Promise<T>) => {
  let loading: Promise<T> | undefined
  return () =>
    (loading ??= load().catch((cause: unknown) => {
      loading = undefined
      throw new OttlaError(
        'CODEC_MISSING',
        `The codec ${codec} needs the package ${packageName}, which cannot be loaded; install it with \`npm install ${packageName}\`.`,
        { cause, details: { codec, packageName } },
      )
    }))
}
