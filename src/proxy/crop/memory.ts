import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { CropOutcome } from './outcome.js'

/** Bytes of an entry beside its picture: key, box, bookkeeping. */
const ENTRY_BYTES = 512

/**
 * Remembers what was found for an image and a question, so that each call of a conversation brings the same bytes and
 * costs no box again. What was used longest ago goes first.
 */
export class CropMemory {
  readonly #outcomes: LRUCache<string, CropOutcome> | null

  /** @param maxBytes 0 remembers nothing. */
  constructor(maxBytes: number) {
    const sizeCalculation = (outcome: CropOutcome) => ENTRY_BYTES + pictureBytes(outcome)
    this.#outcomes = maxBytes > 0 ? new LRUCache({ maxSize: maxBytes, sizeCalculation }) : null
  }

  get bytes(): number {
    return this.#outcomes?.calculatedSize ?? 0
  }

  get(key: string): CropOutcome | undefined {
    return this.#outcomes?.get(key)
  }

  set(key: string, outcome: CropOutcome): void {
    this.#outcomes?.set(key, outcome)
  }
}

/**
 * The key of an image, as it is written in the body, with everything else that what is found depends on.
 * @param rest Values that JSON can write.
 */
export function memoryKey(image: Uint8Array, rest: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(rest)).update('\n').update(image).digest('base64')
}

function pictureBytes(outcome: CropOutcome): number {
  return outcome.decision === 'zoomed' ? outcome.picture.bytes.byteLength : 0
}
