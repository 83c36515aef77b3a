/** DeleteTopics: by name, or by id from version 6 on. The broker's own topics cannot be deleted. */
import type { deleteTopics } from '../../protocol/api/delete-topics.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

type Result = ResponseOf<typeof deleteTopics>['responses'][number]

const DONE = { errorCode: 0, errorMessage: null }
/** The first version that names topics in `topics` rather than `topicNames`. */
const TOPICS_SINCE = 6

export const handleDeleteTopics: Handler<typeof deleteTopics> = async (services, request, context) => {
  const wanted =
    context.apiVersion >= TOPICS_SINCE
      ? request.topics
      : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  const responses: Result[] = []
  for (const { name, topicId } of wanted) {
    const known = name === null ? services.metadata.topicById(topicId) : services.metadata.topic(name)
    const echoed = { name: name ?? known?.name ?? null, topicId: known?.id ?? topicId }
    try {
      if (name !== null && topicId !== ZERO_UUID) {
        throw new OttlaError('INVALID_REQUEST', `Topic ${name} is named by its id too; expected one of them.`)
      }
      if (name === null && topicId === ZERO_UUID) {
        throw new OttlaError('INVALID_REQUEST', 'A topic is named neither by its name nor by its id.')
      }
      if (name === null && known === undefined) {
        throw new OttlaError('UNKNOWN_TOPIC_ID', `There is no topic with the id ${topicId}.`)
      }
      await services.topicChanges.delete(name ?? known?.name ?? '', known?.id)
      responses.push({ ...echoed, ...DONE })
    } catch (error) {
      responses.push({ ...echoed, ...responseErrorOf(error) })
    }
  }
  return { throttleTimeMs: 0, responses }
}
