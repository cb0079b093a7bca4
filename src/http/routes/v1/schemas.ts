/** The proxy's routes in the OpenAPI document. Their bodies are the target's business, so they are any objects. */
import { ZOOM_HEADER } from '../../../proxy/options.js'
import { errorReplies, jsonReply, NO_KEY } from '../../reply/error-schema.js'
import { REQUEST_HEADERS } from '../../request/body-schema.js'

const ANY = { type: 'object', additionalProperties: true } as const

const HEADERS = {
  type: 'object',
  properties: {
    ...REQUEST_HEADERS.properties,
    [ZOOM_HEADER]: {
      type: 'string',
      enum: ['off', 'auto', 'always'],
      description: 'When a crop is put in. Default: ZOOM.',
    },
  },
} as const

const ERRORS = {
  400: 'The header or the field `cropvlm` is wrong.',
  ...NO_KEY,
  413: 'The body is over PROXY_MAX_BODY_BYTES.',
  502: 'The target cannot be reached, or hung up.',
  503: 'Shutting down; see Retry-After.',
  504: 'The target was silent for PROXY_FIRST_BYTE_TIMEOUT_MS.',
}

const HOW =
  "Goes to the target that `model` names, or to the default one, with crops of the region that helps put behind its images. Everything else is forwarded byte for byte, and so is the reply, the target's own errors included. The field `cropvlm` (zoom, resolution, expand, max_images) is for this service and taken out. Every other path under /v1 is forwarded as it is."

function chat(operationId: string, api: string) {
  return {
    operationId,
    tags: ['proxy'],
    summary: `${api}, zoomed`,
    description: HOW,
    headers: HEADERS,
    body: ANY,
    response: {
      200: jsonReply("The target's reply; an event stream where the request asks for one.", ANY),
      ...errorReplies(ERRORS),
    },
  }
}

export const CHAT_SCHEMAS = {
  chatCompletions: chat('chatCompletions', "OpenAI's chat completions"),
  responses: chat('responses', "OpenAI's Responses"),
  messages: chat('messages', "Anthropic's messages"),
}

export const ZOOM_SCHEMA = {
  operationId: 'zoom',
  tags: ['proxy'],
  summary: 'A chat request with crops put in',
  description:
    'The chat request that was sent (of OpenAI or Anthropic) with crops put behind its images and nothing else changed, for those who call the model themselves. The headers x-cropvlm-* say what was done.',
  headers: HEADERS,
  body: ANY,
  response: { 200: jsonReply('The request.', ANY), ...errorReplies(ERRORS) },
}

export const MODELS_SCHEMA = {
  operationId: 'listModels',
  tags: ['proxy'],
  summary: "The default target's models",
  description: "The default target's own list; where it is a model in this process, the names of the targets.",
  headers: HEADERS,
  response: { 200: jsonReply('The list.', ANY), ...errorReplies(ERRORS) },
}
