/** The configs of the topics in which coordinators keep their state: as in Kafka the newest record of each key counts. */

/** What such a topic is created with, whatever the broker's defaults are. */
export const compactedTopicConfigs = (
  segmentBytes: number,
): { readonly name: string; readonly value: string }[] => [
  { name: 'cleanup.policy', value: 'compact' },
  { name: 'compression.type', value: 'producer' },
  { name: 'segment.bytes', value: String(segmentBytes) },
]
