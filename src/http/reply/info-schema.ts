/** The schema of `GET /info`. */
import { type Static, Type } from '@sinclair/typebox'
import { ref } from '../../config/schema.js'
import { integer, integerOrNull, text, textOrNull } from './schemas.js'

const MODEL_INFO = Type.Object(
  {
    id: text('Name of its folder.'),
    role: Type.Unsafe<'cropper' | 'target'>({ type: 'string', enum: ['cropper', 'target'], description: 'Its use.' }),
    revision: textOrNull("The folder's own mark of its version."),
    resolutions: Type.Array(Type.Integer(), { description: 'Longest edges in pixels that it can see.' }),
    default_resolution: integer('The one it takes by itself.'),
    precision: text('Of its graphs.'),
    precision_reason: text('Why that one.'),
    sha256: Type.Record(Type.String(), Type.String(), { description: 'File to its sha256 in hexadecimal.' }),
    training: Type.Unsafe<Record<string, unknown> | null>({
      type: ['object', 'null'],
      additionalProperties: true,
      description: 'How it was trained, as the folder says; null where it does not.',
    }),
    warning: textOrNull('What users of the model should know; null where there is nothing to warn of.'),
  },
  { $id: 'ModelInfo', description: 'A model that is loaded.' },
)

const PROVIDER_INFO = Type.Object(
  { name: text('cpu or cuda.'), reason: text('Why that one.') },
  { $id: 'ProviderInfo', description: 'Where models run.' },
)

const SANDBOX_INFO = Type.Object(
  { name: textOrNull('bubblewrap; null: none.'), reason: text('What it forbids, or why there is none.') },
  { $id: 'SandboxInfo', description: 'What confines the processes that decode images and run models.' },
)

const LIMITS = Type.Object(
  {
    body_bytes: integer('Largest body.'),
    pixels: integer('Largest image, width times height.'),
    aspect: integer('Longest edge by shortest.'),
    question_chars: integer('Longest question.'),
    request_timeout_ms: integer('Deadline of a request.'),
    queue: integer('Jobs that may wait.'),
    image_urls: Type.Boolean({ description: 'Whether images are fetched from URLs.' }),
  },
  { $id: 'Limits', description: 'What a request must keep to.' },
)

const BREAKER_INFO = Type.Object(
  {
    open: Type.Boolean({ description: 'Whether it is not asked now.' }),
    failures: integer('Failures in a row.'),
    retry_in_ms: integerOrNull('Until it is asked again; null while it is asked.'),
  },
  { $id: 'BreakerInfo', description: 'Whether an endpoint is asked that fails again and again.' },
)

const BREAKER_OR_NULL = Type.Unsafe<Static<typeof BREAKER_INFO> | null>({
  anyOf: [ref(BREAKER_INFO), { type: 'null' }],
  description: 'null where every call is made: no endpoint is asked, or TARGET_BREAKER_FAILURES is 0.',
})

const TARGET_PROFILE = Type.Object(
  {
    name: text('As TARGET_PROFILE names it.'),
    crop_enlarge: Type.Number({ description: 'At most how many times a small crop is enlarged.' }),
    min_side: integer('Least pixels of either side of a picture.'),
    prompt: textOrNull("The text with {question} in it that follows the pictures; null: the paper's."),
    system: textOrNull('The system message; null: none.'),
    tokens_field: text('The field that limits the answer, unless the endpoint refuses it.'),
    takes_temperature: Type.Boolean({ description: 'Whether it is sent one, unless the endpoint refuses it.' }),
    reasoning_tokens: integer('Tokens that it may think with, beyond max_tokens.'),
  },
  { $id: 'TargetProfile', description: 'What a target at an endpoint is shown and told.' },
)

const TARGET_INFO = Type.Object(
  {
    name: text("What a request's `target` calls it."),
    model: text('The model.'),
    kind: text('vlm; or reader, which reads text and takes a line of it, and knows nothing of what a picture shows.'),
    local: Type.Boolean({ description: 'Whether this service runs it.' }),
    full_longest_edge: integerOrNull('To which the full image is shrunk; null: it is not.'),
    crop_longest_edge: integerOrNull('To which the crop is shrunk or enlarged; null: it is not.'),
    breaker: BREAKER_OR_NULL,
    profile: Type.Unsafe<Static<typeof TARGET_PROFILE> | null>({
      anyOf: [ref(TARGET_PROFILE), { type: 'null' }],
      description: 'null for what the service runs itself.',
    }),
  },
  { $id: 'TargetInfo', description: 'A target that can be asked.' },
)

const CROPPER_INFO = Type.Object(
  {
    name: text('As CROPPER names it.'),
    reason: textOrNull('Why the configuration means this one.'),
    model: textOrNull('The model behind an endpoint; null where none is asked.'),
    dialect: textOrNull('How that model writes boxes; null where none is asked.'),
    resolutions: Type.Unsafe<readonly number[] | null>({
      type: ['array', 'null'],
      items: { type: 'integer' },
      description:
        'Longest edges in pixels that may be asked for; empty where none may (the text reader), null where any may, or while they are not known.',
    }),
    warnings: Type.Array(Type.String(), { description: 'What users of its boxes should know.' }),
    breaker: BREAKER_OR_NULL,
  },
  { $id: 'CropperInfo', description: 'What finds the boxes.' },
)

export const INFO_REPLY = Type.Object(
  {
    name: text('cropvlm'),
    version: text('Of this service.'),
    models: Type.Array(ref(MODEL_INFO), { description: 'Empty until they have loaded.' }),
    reader: textOrNull('The text reader; null: none is loaded.'),
    execution_provider: Type.Unsafe<Static<typeof PROVIDER_INFO> | null>({
      anyOf: [ref(PROVIDER_INFO), { type: 'null' }],
      description: 'null until the models have loaded.',
    }),
    sandbox: ref(SANDBOX_INFO),
    cropper: ref(CROPPER_INFO),
    limits: ref(LIMITS),
    targets: Type.Array(ref(TARGET_INFO), { description: 'The first is the default.' }),
  },
  { $id: 'InfoReply', description: 'What runs here and within which limits.' },
)

export const NAMED_INFO = [
  MODEL_INFO,
  PROVIDER_INFO,
  SANDBOX_INFO,
  BREAKER_INFO,
  CROPPER_INFO,
  LIMITS,
  TARGET_PROFILE,
  TARGET_INFO,
  INFO_REPLY,
]
