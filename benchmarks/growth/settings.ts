/** What the measured processes of `growth` are told, and what each of them reports. */

/** What was chosen. Sizes are in MB, 10^6 bytes. */
export interface GrowthSettings extends Record<string, number> {
  /** How much is written in all; the log that opens as `open-short` has a hundredth of it. */
  readonly totalMb: number
  readonly partitions: number
  readonly valueBytes: number
  readonly batchBytes: number
  /** Sends that may be unanswered at a time. */
  readonly batchesInFlight: number
  /** How long producing, compacting and deleting go on at once. */
  readonly busySeconds: number
  readonly idlePartitions: number
}

/** Which storage, and which part of the work. */
export interface Task {
  readonly part: 'grow' | 'recover' | 'idle'
  readonly storage: 'level' | 'file'
  readonly folder: string
  readonly settings: GrowthSettings
}

/** What a part measured, by metric. */
export type Figures = Record<string, number>
