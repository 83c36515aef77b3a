/**
 * Opens a partition's folder: takes the journal's snapshot and every commit after it that is whole, with its
 * batches; cuts off what a crash left behind; and says so when something is missing that was on the disk.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { crc32c } from '../../record/crc32c.js'
import { FIELD, readInt32 } from '../../record/header.js'
import { corruptSegment, walkBatches } from './batch-walk.js'
import type { FileEngine } from './file-engine.js'
import { indexFile, JOURNAL_FILE, segmentFile, SWAP_SUFFIX } from './file-names.js'
import { decodeFrame, FORMAT_VERSION, nextFrame, type Frame } from './journal-format.js'
import { PartitionFolder, type FolderState } from './partition-folder.js'
import { EMPTY_META, segmentsOf, withSegments, type PartitionMeta, type Segment } from './partition-meta.js'

/** Opens the folder at `path` in `root`; one that is not there is an empty partition's. */
export const openFolder = async (
  engine: FileEngine,
  root: string,
  path: string,
): Promise<PartitionFolder> => {
  const bytes = await engine.files.read(`${path}/${JOURNAL_FILE}`)
  if (bytes === undefined) return new PartitionFolder(engine, root, path, NOTHING)
  const [snapshot, ...commits] = readFrames(bytes, `${path}/${JOURNAL_FILE}`)
  if (snapshot?.snapshot === undefined) throw corruptJournal(`${path}/${JOURNAL_FILE}`, 0)
  const { version, startOffset, head, swapped } = snapshot.snapshot
  if (version !== FORMAT_VERSION) {
    throw new OttlaError(
      'UNSUPPORTED_VERSION',
      `The partition ${path} has layout version ${version}; this version of Ottla reads ${FORMAT_VERSION}.`,
    )
  }
  await finishSwap(engine, path, swapped)
  let meta = withSegments(snapshot.segments, { startOffset, endOffset: snapshot.endOffset }, head)
  const blobs = new Map<string, Uint8Array>()
  let last = snapshot
  for (const [index, frame] of [snapshot, ...commits].entries()) {
    if (index > 0) {
      const damage = await damageOf(engine, path, meta, frame)
      if (damage !== undefined) {
        if (commits.some(({ synced }) => synced >= frame.sequence)) throw damage
        break
      }
      meta = afterCommit(meta, frame)
    }
    for (const [name, value] of Object.entries(frame.blobs)) {
      if (value === null) blobs.delete(name)
      else blobs.set(name, value)
    }
    last = frame
  }
  const state: FolderState = { meta, blobs, sequence: last.sequence, journalBytes: last.end, isThere: true }
  const folder = new PartitionFolder(engine, root, path, state)
  const hasCommits = bytes.length > snapshot.end
  await tidy(engine, path, meta)
  // From here on all that was found counts as on the disk, so it has to be.
  if (hasCommits || swapped.length > 0) {
    await syncSince(engine, path, snapshot, meta)
    await folder.snapshot(meta)
  }
  return folder
}

const NOTHING: FolderState = {
  meta: EMPTY_META,
  blobs: new Map(),
  sequence: 0,
  journalBytes: 0,
  isThere: false,
}

const corruptJournal = (path: string, position: number): OttlaError =>
  new OttlaError('STORAGE_CORRUPT', `The journal ${path} is damaged at position ${position}.`, {
    details: { path, position },
  })

/** All frames up to the first that is not whole. One that was on the disk, as a later one knows, must be. */
const readFrames = (bytes: Uint8Array, path: string): Frame[] => {
  const frames: Frame[] = []
  let at = 0
  for (;;) {
    const frame = decodeFrame(bytes, at)
    const sequence = (frames.at(-1)?.sequence ?? -1) + 1
    if (frame === undefined || (frames.length > 0 && frame.sequence !== sequence)) {
      if (at === 0) throw corruptJournal(path, 0)
      for (let later = nextFrame(bytes, at); later !== undefined; later = decodeFrame(bytes, later.end)) {
        if (later.synced >= sequence) throw corruptJournal(path, at)
      }
      return frames
    }
    frames.push(frame)
    at = frame.end
  }
}

const afterCommit = (meta: PartitionMeta, frame: Frame): PartitionMeta => {
  const segments = new Map(segmentsOf(meta).map((segment) => [segment.baseOffset, segment]))
  for (const segment of frame.segments) segments.set(segment.baseOffset, segment)
  return withSegments(
    [...segments.values()],
    { startOffset: meta.startOffset, endOffset: frame.endOffset },
    meta.head,
  )
}

/** What is wrong with the batches that `frame` commits; undefined when they are whole. */
const damageOf = async (
  engine: FileEngine,
  path: string,
  meta: PartitionMeta,
  frame: Frame,
): Promise<OttlaError | undefined> => {
  for (const segment of frame.segments) {
    const before = segmentsOf(meta).find(({ baseOffset }) => baseOffset === segment.baseOffset)
    try {
      await validate(engine, `${path}/${segmentFile(segment.baseOffset)}`, segment, before)
    } catch (error) {
      if (OttlaError.is(error) && error.code === 'STORAGE_CORRUPT') return error
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      return corruptSegment(`${path}/${segmentFile(segment.baseOffset)}`, 0, 'the file is missing', error)
    }
  }
  return undefined
}

const validate = async (
  engine: FileEngine,
  path: string,
  segment: Segment,
  before: Segment | undefined,
): Promise<void> => {
  const walk = { path, from: before?.sizeBytes ?? 0, to: segment.sizeBytes, isWhole: true }
  let lastOffset = before?.lastOffset ?? segment.baseOffset - 1
  let batchCount = before?.batchCount ?? 0
  await engine.open.use(path, async (file) => {
    for await (const { info, position, bytes } of walkBatches(file, walk)) {
      if (info.baseOffset <= lastOffset)
        throw corruptSegment(path, position, `offset ${info.baseOffset} follows ${lastOffset}`)
      if (crc32c(bytes, FIELD.attributes, bytes.length) !== readInt32(bytes, FIELD.crc) >>> 0)
        throw corruptSegment(path, position, 'the batch fails its CRC')
      lastOffset = info.lastOffset
      batchCount++
    }
  })
  if (lastOffset !== segment.lastOffset || batchCount !== segment.batchCount)
    throw corruptSegment(path, walk.from, 'the batches are not those that were committed')
}

/** What a replacement wrote beside and committed takes its place. */
const finishSwap = async (engine: FileEngine, path: string, swapped: readonly number[]): Promise<void> => {
  for (const baseOffset of swapped) {
    const segment = `${path}/${segmentFile(baseOffset)}`
    await engine.files.rename(`${segment}${SWAP_SUFFIX}`, segment)
    await engine.files.remove(`${path}/${indexFile(baseOffset)}`)
  }
  if (swapped.length > 0) await engine.files.syncDirectory(path)
}

/** Removes files that belong to nothing, and what stands behind the end; all that belongs must be there. */
const tidy = async (engine: FileEngine, path: string, meta: PartitionMeta): Promise<void> => {
  const names = new Set(await engine.files.list(path))
  const expected = new Set([JOURNAL_FILE])
  for (const { baseOffset } of segmentsOf(meta)) {
    if (!names.has(segmentFile(baseOffset)))
      throw corruptSegment(`${path}/${segmentFile(baseOffset)}`, 0, 'the file is missing')
    expected.add(segmentFile(baseOffset)).add(indexFile(baseOffset))
  }
  for (const name of names) if (!expected.has(name)) await engine.files.remove(`${path}/${name}`)
  const { active } = meta
  if (active === undefined) return
  const activePath = `${path}/${segmentFile(active.baseOffset)}`
  await engine.open.use(activePath, async (file) => {
    const size = await file.size()
    if (size < active.sizeBytes)
      throw corruptSegment(activePath, size, `the file ends there, expected ${active.sizeBytes} bytes`)
    if (size > active.sizeBytes) await file.truncate(active.sizeBytes)
  })
}

const syncSince = async (
  engine: FileEngine,
  path: string,
  snapshot: Frame,
  meta: PartitionMeta,
): Promise<void> => {
  const from = snapshot.segments.at(-1)?.baseOffset ?? 0
  for (const { baseOffset } of segmentsOf(meta)) {
    if (baseOffset >= from)
      await engine.open.use(`${path}/${segmentFile(baseOffset)}`, (file) => file.datasync())
  }
}
