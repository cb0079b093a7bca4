/** The body of a route as a schema of each content type that it reads. Fastify validates requests with them. */
import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { type Annotations, ref } from '../../config/schema.js'

/** A validated body. Options without a default may be absent; the others have been filled in. */
export type Body<T extends TProperties> = {
  /** Bytes from a form; from JSON what `readImageField` reads. */
  image: Buffer | Static<typeof JSON_IMAGE>
  question?: string
} & Static<TObject<T>>

export interface BodySchemas {
  form: TObject
  json: TObject
}

/**
 * What a request may say beside its body. An optional parameter also makes openapi-python-client (0.29) import a name that
 * it needs and forgets where a route reads several content types (its issue 1451).
 */
export const REQUEST_HEADERS = Type.Object({
  'x-request-id': Type.Optional(
    Type.String({ description: 'An id of your own, which the reply and the log then have. Default: a new one.' }),
  ),
})

/** Ajv's keyword for a file of a form. The documentation shows it as a binary string. */
export const FILE_KEYWORD = 'file'

/** Ajv's keywords that only people read. */
export const ANNOTATIONS = ['expected', 'unit'] as const satisfies (keyof Annotations)[]

const FORM_IMAGE = Type.Unsafe<Buffer>({
  [FILE_KEYWORD]: true,
  expected: 'a JPEG, PNG or WebP file',
  description: 'A JPEG, PNG or WebP file.',
})

const dataText = (description = 'A data URL or base64; or a link, where the service fetches any.') =>
  Type.String({ description })

/** OpenAI's way to hand over an image: the part of a chat completion, or of a response. */
export const IMAGE_URL = Type.Object(
  { image_url: Type.Union([dataText(), Type.Object({ url: dataText() })]) },
  { $id: 'ImageUrl', description: "An image in OpenAI's forms, image_url and input_image." },
)

/** Anthropic's. A source that is a link is told as such, not as a wrong form. */
export const IMAGE_SOURCE = Type.Object(
  {
    source: Type.Union([
      Type.Object({ data: dataText('Base64.') }),
      Type.Object({ url: dataText('A data URL; or a link.') }),
    ]),
  },
  { $id: 'ImageSource', description: "An image in Anthropic's form." },
)

/** The shortest form. */
export const IMAGE_LINK = Type.Object(
  { url: dataText() },
  { $id: 'ImageLink', description: 'An image by its data URL.' },
)

const JSON_IMAGE = Type.Union([Type.String(), ref(IMAGE_URL), ref(IMAGE_SOURCE), ref(IMAGE_LINK)], {
  expected:
    'a data URL or base64 as a string, or {"image_url": {"url": "data:..."}}, {"type": "input_image", "image_url": "data:..."}, {"type": "image", "source": {"type": "base64", "data": "..."}} or {"url": "data:..."}',
  description:
    "A JPEG, PNG or WebP file as a data URL or as base64, in OpenAI's and Anthropic's forms too. " +
    'An http or https link is fetched where the service allows its host (IMAGE_URLS, IMAGE_URL_HOSTS). ' +
    'Send files of several megabytes as multipart/form-data instead: it is read as it arrives, while a long JSON ' +
    'text is parsed in one go, and other requests wait for that.',
})

/**
 * The schemas of a route's body.
 * @param options The route's own. With `questions` among them, `question` may be left out.
 */
export function bodySchemas(options: TProperties, maxQuestionChars: number): BodySchemas {
  const question = Type.String({
    pattern: '\\S',
    maxLength: maxQuestionChars,
    examples: ['What is the total?'],
    description: 'questions' in options ? 'About the image; or send `questions`.' : 'About the image.',
  })
  const fields = {
    question: 'questions' in options ? Type.Optional(question) : question,
    ...Object.fromEntries(Object.entries(options).map(([key, option]) => [key, sent(option, maxQuestionChars)])),
  }
  const body = (image: TSchema, description: string) =>
    Type.Object({ image, ...fields }, { additionalProperties: false, description })
  return {
    form: body(FORM_IMAGE, 'An image as a file, a question, and options as text.'),
    json: body(JSON_IMAGE, 'An image in base64, a question, and options.'),
  }
}

/**
 * The bodies as a route's schema has them. They stand there in full rather than by name: openapi-typescript (7.13) takes
 * what has a default for required in a named schema, as it is in a reply.
 */
export function contentOf({ form, json }: BodySchemas) {
  return { content: { 'multipart/form-data': { schema: form }, 'application/json': { schema: json } } }
}

/** An option as it is sent: what has a default may be left out, and each question is bounded. */
function sent(option: TSchema, maxLength: number): TSchema {
  const { items } = option as { items?: TSchema }
  const bounded = items?.type === 'string' ? { ...option, items: { ...items, maxLength } } : option
  return option.default === undefined ? bounded : Type.Optional(bounded)
}
