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
  /** In their order, without crops that this service has put in. */
  readonly images: readonly Image[]
  /** Whether it has such crops: a request that came through before needs no others. */
  readonly hasCrops: boolean
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

/**
 * @param note The text before a crop, by which one that this service has put in is known; null: none is known.
 * @throws UnreadableJsonError
 */
export function readChat(json: Buffer, root: Span, note: string | null): ChatBody {
  const members = membersOf(json, root)
  const last = (key: string) => members.findLast(member => member.key === key)?.value
  const model = last('model')
  const text = textOf(json, model)
  const messages = MESSAGES.map(last).find(value => value && kindOf(json, value) === 'list')
  return {
    root,
    model: model && text !== undefined ? { span: model, text } : null,
    options: last(OPTIONS_FIELD),
    turns: messages ? turnsOf(json, messages, noteTest(note)) : [],
  }
}

type NoteTest = (text: string) => boolean

function turnsOf(json: Buffer, messages: Span, isNote: NoteTest): Turn[] {
  let images = 0
  return itemsOf(json, messages).flatMap((item, message) => {
    if (textOf(json, memberOf(json, item, 'role')) !== 'user') return []
    const content = memberOf(json, item, 'content')
    if (!content) return []
    const turn = turnOf(json, content, message, images, isNote)
    images += turn.images.length
    return [turn]
  })
}

/** @param before How many images came in earlier turns. */
function turnOf(json: Buffer, content: Span, message: number, before: number, isNote: NoteTest): Turn {
  const images: Image[] = []
  const whole = textOf(json, content)
  const texts = whole === undefined ? [] : [whole]
  let [hasCrops, isCrop] = [false, false]
  for (const [part, span] of itemsOf(json, content).entries()) {
    const type = textOf(json, memberOf(json, span, 'type')) ?? ''
    const text = TEXT_TYPES.includes(type) ? textOf(json, memberOf(json, span, 'text')) : undefined
    const image = imagePartOf(json, span, type)
    if (image && !isCrop) images.push({ ...image, message, part, number: before + images.length + 1 })
    if (image && isCrop) hasCrops = true
    isCrop = text !== undefined && isNote(text)
    if (text !== undefined && !isCrop) texts.push(text)
  }
  return { message, content, question: texts.join('\n'), images, hasCrops }
}

/** The settings have one note. */
let known: { note: string | null; test: NoteTest } = { note: null, test: () => false }

function noteTest(note: string | null): NoteTest {
  if (known.note !== note) known = { note, test: makeNoteTest(note) }
  return known.test
}

function makeNoteTest(note: string | null): NoteTest {
  if (note === null) return () => false
  const texts = note.split('{image}').map(text => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const pattern = new RegExp(`^${texts.join('\\d+')}$`)
  return text => pattern.test(text)
}
