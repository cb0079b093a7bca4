/** The user's turns of a chat request, by position: OpenAI's chat completions and Responses, and Anthropic's messages. */
import { itemsOf, kindOf, memberOf, membersOf, type Span, textOf } from '../json/scan.js'
import { type ImagePart, imagePartOf } from './image-part.js'

/** One message of the user. */
export interface Turn {
  /** Index among the messages. */
  readonly message: number
  /** The message's content: a string or a list of parts. */
  readonly content: Span
  /** Its texts, a line each; blank where it has none. */
  readonly question: string
  /** In their order. */
  readonly images: readonly Image[]
}

/** An image of a user's turn. */
export interface Image extends ImagePart {
  readonly message: number
  /** Index among the message's parts. */
  readonly part: number
  /** Which of the conversation's images it is, from 1. */
  readonly number: number
}

/** What a body holds, as far as it is read. */
export interface ChatBody {
  readonly root: Span
  /** Its value of `model`, where that is a string. */
  readonly model: { span: Span; text: string } | null
  /** The field of options for this service. */
  readonly options: Span | undefined
  readonly turns: readonly Turn[]
}

/** The fields that hold the messages: chat completions' and Anthropic's, and that of Responses. */
const MESSAGES = ['messages', 'input']
/** The field of options for this service. */
export const OPTIONS_FIELD = 'cropvlm'
const TEXT_TYPES = ['text', 'input_text']

/** @throws UnreadableJsonError */
export function readChat(json: Buffer, root: Span): ChatBody {
  const members = membersOf(json, root)
  const last = (key: string) => members.findLast(member => member.key === key)?.value
  const model = last('model')
  const text = textOf(json, model)
  const messages = MESSAGES.map(last).find(value => value && kindOf(json, value) === 'list')
  return {
    root,
    model: model && text !== undefined ? { span: model, text } : null,
    options: last(OPTIONS_FIELD),
    turns: messages ? turnsOf(json, messages) : [],
  }
}

function turnsOf(json: Buffer, messages: Span): Turn[] {
  let images = 0
  return itemsOf(json, messages).flatMap((item, message) => {
    if (textOf(json, memberOf(json, item, 'role')) !== 'user') return []
    const content = memberOf(json, item, 'content')
    if (!content) return []
    const turn = turnOf(json, content, message, images)
    images += turn.images.length
    return [turn]
  })
}

/** @param before How many images came in earlier turns. */
function turnOf(json: Buffer, content: Span, message: number, before: number): Turn {
  const parts = itemsOf(json, content)
  const images: Image[] = []
  const texts = [textOf(json, content)]
  for (const [part, span] of parts.entries()) {
    const type = textOf(json, memberOf(json, span, 'type')) ?? ''
    if (TEXT_TYPES.includes(type)) texts.push(textOf(json, memberOf(json, span, 'text')))
    const image = imagePartOf(json, span, type)
    if (image) images.push({ ...image, message, part, number: before + images.length + 1 })
  }
  const question = texts.filter(text => text !== undefined).join('\n')
  return { message, content, question, images }
}
