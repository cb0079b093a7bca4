import { type Box, END_OF_UTTERANCE, formatBox } from '../../contract/box.js'
import { CropVlmError } from '../../errors.js'
import type { Grammar, GrammarState } from '../../vlm/decoding/grammar.js'
import { orTooSlow, withinTime } from '../../vlm/time-limit.js'
import { MAX_PROBE_MS } from '../../vlm/tokens/probe.js'
import type { Tokenizer } from '../../vlm/tokens/tokenizer.js'

/** How a tokenizer writes the parts of ` [x1, y1, x2, y2].<end_of_utterance>`. */
export interface BoxTokens {
  /** ` [` */
  open: readonly number[]
  /** `, ` */
  separator: readonly number[]
  /** `].<end_of_utterance>` */
  close: readonly number[]
  /** The tokens of `0` to `9`. */
  digits: readonly number[]
}

const NUMBERS = 4
const MAX = 100

/**
 * Looks up the tokens of a box by having the tokenizer write some boxes.
 * @throws CropVlmError invalid_model if it does not give each digit a token of its own, as the contract requires, or if its
 * patterns take too long for a box
 */
export function boxTokens(tokenizer: Tokenizer): BoxTokens {
  return orTooSlow(
    'invalid_model',
    `CROPPER_MODEL's tokenizer.json: its patterns took longer than ${MAX_PROBE_MS} ms for the text of a box; this model cannot be the cropper.`,
    () => withinTime(MAX_PROBE_MS, () => lookUp(tokenizer)),
  )
}

function lookUp(tokenizer: Tokenizer): BoxTokens {
  const write = (box: Box) => tokenizer.encodePlain(` ${formatBox(box)}`)
  const digits = Array.from({ length: 10 }, (_, digit) => tokenizer.encodePlain(String(digit))).map(ids => ids[0] ?? -1)
  const parts = split(write([0, 0, 0, 0]), digits[0] as number)
  const end = tokenizer.id(END_OF_UTTERANCE)
  const [open, separator, , , close] = parts
  if (parts.length !== NUMBERS + 1 || !open || !separator || !close || end === undefined) throw unfit()
  const tokens = { open, separator, close: [...close, end], digits }
  for (const box of [
    [12, 5, 80, 47],
    [0, 33, 99, 100],
    [6, 1, 78, 94],
  ] satisfies Box[]) {
    const numbers = box.map(n => [...String(n)].map(digit => digits[Number(digit)] as number))
    const built = numbers.flatMap((number, i) => [...(i === 0 ? open : separator), ...number])
    if (String([...built, ...close]) !== String(write(box))) throw unfit()
  }
  return tokens
}

/**
 * Only ever lets a valid box be written: whole numbers from 0 to 100 without leading zeros, x2 > x1, y2 > y1, in the
 * contract's exact form. So x1 and y1 stop at 99, and the digits allowed in x2 and y2 depend on them.
 */
export function boxGrammar(tokens: BoxTokens): Grammar {
  return { start: literal(tokens, tokens.open, 0, () => number(tokens, [], '')) }
}

/** The state inside a fixed text: the token at `at` is the only one allowed. After the last one, `then` gives the state. */
function literal(tokens: BoxTokens, text: readonly number[], at: number, then: () => GrammarState): GrammarState {
  const expected = text[at]
  if (expected === undefined) return then()
  return state(new Map([[expected, () => literal(tokens, text, at + 1, then)]]))
}

/** The state inside a number: the numbers in `before` are complete, and `digits` of the current one are written. */
function number(tokens: BoxTokens, before: readonly number[], digits: string): GrammarState {
  const position = before.length
  const low = position < 2 ? 0 : (before[position - 2] as number) + 1
  const high = position < 2 ? MAX - 1 : MAX
  const next = new Map<number, () => GrammarState>()
  tokens.digits.forEach((token, digit) => {
    const longer = `${digits}${digit}`
    if (leadsInto(longer, low, high)) next.set(token, () => number(tokens, before, longer))
  })
  if (digits !== '' && Number(digits) >= low) {
    const numbers = [...before, Number(digits)]
    const isLast = numbers.length === NUMBERS
    const text = isLast ? tokens.close : tokens.separator
    const then = isLast ? () => state(new Map()) : () => number(tokens, numbers, '')
    next.set(text[0] as number, () => literal(tokens, text, 1, then))
  }
  // A number of two digits takes two runs of the decoder. 100 would take a third, because after "10" the model has to
  // choose between another 0 and the end of the number. So where 100 is possible, the first 0 is a draft token: it is fed
  // in the same run as the 1.
  const isHundredOpen = digits === '1' && low <= 10 && high === MAX
  return state(next, isHundredOpen ? [tokens.digits[0] as number] : [])
}

/** Whether some number from `low` to `high`, written without leading zeros, begins with `digits`. */
function leadsInto(digits: string, low: number, high: number): boolean {
  for (let n = low; n <= high; n++) if (String(n).startsWith(digits)) return true
  return false
}

function state(next: ReadonlyMap<number, () => GrammarState>, draftTokens: readonly number[] = []): GrammarState {
  return {
    allowed: [...next.keys()].sort((a, b) => a - b),
    draftTokens,
    after(token) {
      const follow = next.get(token)
      if (!follow) throw new Error(`token ${token} is not allowed here`)
      return follow()
    },
  }
}

/** The parts of `ids` between the tokens that equal `at`. */
function split(ids: readonly number[], at: number): number[][] {
  const parts: number[][] = [[]]
  for (const id of ids) {
    if (id === at) parts.push([])
    else parts.at(-1)?.push(id)
  }
  return parts
}

function unfit(): CropVlmError {
  return new CropVlmError(
    'invalid_model',
    "CROPPER_MODEL's tokenizer.json: boxes need a tokenizer that gives each digit a token of its own and has <end_of_utterance>; this model cannot be the cropper.",
  )
}
