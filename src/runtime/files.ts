/** The Files seam: the few file operations that a storage needs. */

/** An open file. Reads and writes name their positions, so they may overlap. */
export interface OpenFile {
  /** Fills `target` from `position` on; answers how many bytes there were, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>
  /** Writes `pieces` one after another from `position` on, as one vectored write where the platform has it. */
  write(pieces: readonly Uint8Array[], position: number): Promise<void>
  /** Resolves when everything written before is on the disk, and the file's size with it. */
  datasync(): Promise<void>
  /** Cuts the file off at `size`, or extends it with zeros. */
  truncate(size: number): Promise<void>
  /** The file's length in bytes. */
  size(): Promise<number>
  /** Gives the descriptor back. */
  close(): Promise<void>
}

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
  /** Opens `path` for reading and writing: an empty new one (`'create'`), or the one that is there. */
  open(path: string, mode: 'create' | 'existing'): Promise<OpenFile>
  /** The names in `directory`, in no order; none when it does not exist. */
  list(directory: string): Promise<readonly string[]>
  /** Removes `directory` and everything in it; fine when there is none. */
  removeDirectory(directory: string): Promise<void>
  /** Resolves when the names in `directory` are on the disk: files created, moved and removed before. */
  syncDirectory(directory: string): Promise<void>
  /** The bytes of all files directly in `directory`; 0 when it does not exist. */
  directorySizeBytes(directory: string): Promise<number>
  /** The disk that `directory` is on: its size, and what this process may still write, in bytes. */
  volume(directory: string): Promise<{ readonly totalBytes: number; readonly usableBytes: number }>
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
