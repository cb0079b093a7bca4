import { Transform, type TransformCallback } from 'node:stream'

const [QUOTE, COMMA, BACKSLASH, SPACE] = [0x22, 0x2c, 0x5c, 0x20]
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d]

/**
 * Passes a JSON text on as it comes, with spaces in the place of the member named `key` of the outermost object and of one
 * comma beside it: the text keeps its length, which may have been told already, and every other byte. Held back is no
 * more than a comma and a key.
 */
export class BlankMember extends Transform {
  /** What has not been passed on, and how much of it has been looked at. */
  #held: Buffer = Buffer.alloc(0)
  #seen = 0
  /** Where a member begins that may have to go: its comma or its key. null: none. */
  #from: number | null = null
  #keyStart: number | null = null
  #depth = 0
  /** Whether the outermost value is an object. */
  #isObject = false
  #isString = false
  #isEscaped = false
  /** Whether the next string at depth 1 is a key. */
  #wantsKey = false
  #isBlanking = false
  /** Whether a member that stays stands before. */
  #hasMember = false

  constructor(private readonly key: string) {
    super()
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    // a copy: the chunk is the sender's
    const bytes = Buffer.concat([this.#held, chunk])
    for (let at = this.#seen; at < bytes.length; at++) this.#step(bytes, at)
    const settled = this.#isBlanking ? bytes.length : (this.#from ?? bytes.length)
    this.#held = bytes.subarray(settled)
    this.#seen = this.#held.length
    if (this.#from !== null) this.#from -= settled
    if (this.#keyStart !== null) this.#keyStart -= settled
    done(null, bytes.subarray(0, settled))
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#held)
  }

  #step(bytes: Buffer, at: number): void {
    const byte = bytes[at]
    if (this.#isString) this.#inString(bytes, at)
    else if (byte === QUOTE) this.#openString(at)
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#open(byte, at)
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.#close()
    if (byte === COMMA && this.#depth === 1 && this.#isObject && !this.#isString) this.#nextMember(bytes, at)
    else if (this.#isBlanking) bytes[at] = SPACE
  }

  #openString(at: number): void {
    this.#isString = true
    if (this.#depth === 1 && this.#wantsKey) this.#keyStart = at
    this.#wantsKey = false
  }

  #inString(bytes: Buffer, at: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (bytes[at] === BACKSLASH) this.#isEscaped = true
    else if (bytes[at] === QUOTE) {
      this.#isString = false
      if (this.#keyStart !== null) this.#endKey(bytes, this.#keyStart, at)
    }
  }

  #endKey(bytes: Buffer, start: number, end: number): void {
    if (isKey(bytes.toString('utf8', start, end + 1), this.key)) {
      this.#isBlanking = true
      bytes.fill(SPACE, this.#from ?? start, end)
    } else this.#hasMember = true
    this.#from = null
    this.#keyStart = null
  }

  #open(byte: number, at: number): void {
    this.#depth++
    if (this.#depth !== 1 || byte !== OPEN_OBJECT) return
    this.#isObject = true
    this.#wantsKey = true
    this.#from = at + 1
  }

  #close(): void {
    this.#depth--
    if (this.#depth !== 0) return
    // the bracket of the outermost object stays
    this.#isBlanking = false
    this.#from = null
  }

  #nextMember(bytes: Buffer, at: number): void {
    this.#isBlanking = false
    this.#wantsKey = true
    this.#from = at
    // what stood before is gone, so that no comma may follow
    if (!this.#hasMember) bytes[at] = SPACE
  }
}

function isKey(text: string, key: string): boolean {
  try {
    return JSON.parse(text) === key
  } catch {
    return false
  }
}
