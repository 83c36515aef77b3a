/** The Files seam: the few file operations that a storage needs outside its own engine. */

/** A folder's files, as a storage sees them. Paths are the platform's own; nothing here is synchronous. */
export interface Files {
  /** Makes `directory` and its parents; fine when it is there. */
  makeDirectory(directory: string): Promise<void>
  /** The path with links and `..` resolved: one name for one folder. */
  realPath(path: string): Promise<string>
  /** Creates `path` with `bytes`, durably; false when it exists already. */
  createExclusive(path: string, bytes: Uint8Array): Promise<boolean>
  /** The whole file; undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Moves `from` to `to`, replacing it; false when `from` does not exist. */
  rename(from: string, to: string): Promise<boolean>
  /** Removes the file; fine when there is none. */
  remove(path: string): Promise<void>
  /** The bytes of all files directly in `directory`; 0 when it does not exist. */
  directorySizeBytes(directory: string): Promise<number>
}

/** Which process this is, so that a lock left behind by a dead one can be told from one that is held. */
export interface ProcessIdentity {
  /** The operating system's process id. */
  readonly pid: number
  /** When the process started, in the platform's own notation: tells two owners of one pid apart. */
  readonly startedAt: string
  /** Whether the process that `pid` and `startedAt` name is running now. */
  isRunning(pid: number, startedAt: string): Promise<boolean>
}
