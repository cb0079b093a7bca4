/** The lines of one picture, which several threads read together. */
import type { RawImage } from '../../image/decode.js'
import type { Session } from '../../vlm/onnx/session.js'
import type { Rectangle } from '../detect/rectangle.js'
import type { Reading } from './ctc.js'
import { cutLine } from './cut.js'
import { recognizeLine } from './recognize.js'

/** Plain data in shared memory, so that handing it to a thread copies no pixels. */
export interface Work {
  picture: RawImage
  regions: readonly Rectangle[]
  /** Positions in `regions` in the order in which they are read: a long line that is left for last keeps one thread alone. */
  order: readonly number[]
  /** One number: how many of `order` have been taken. */
  taken: Int32Array
}

/** What a line says, with its position in `regions`. */
export type NumberedReading = readonly [line: number, reading: Reading]

/** @param memory Where the picture's pixels go, if they have room in it. */
export function shareWork(
  { data, ...size }: RawImage,
  regions: readonly Rectangle[],
  memory: SharedArrayBuffer = new SharedArrayBuffer(data.length),
): Work {
  const pixels = new Uint8Array(memory, 0, data.length)
  pixels.set(data)
  const length = ({ width, height }: Rectangle) => Math.max(width, height) / Math.max(1, Math.min(width, height))
  const order = regions.map((_, i) => i)
  order.sort((a, b) => length(regions[b] as Rectangle) - length(regions[a] as Rectangle))
  return { picture: { ...size, data: pixels }, regions, order, taken: new Int32Array(new SharedArrayBuffer(4)) }
}

/**
 * Takes one line after another, cuts it out and reads it, until none is left.
 * @param checkpoint Called before each line; what it throws ends the work, of the other threads too.
 */
export async function readLines(
  graph: Session,
  characters: readonly string[],
  { picture, regions, order, taken }: Work,
  checkpoint: () => Promise<void>,
): Promise<NumberedReading[]> {
  const readings: NumberedReading[] = []
  try {
    for (let line = order[Atomics.add(taken, 0, 1)]; line !== undefined; line = order[Atomics.add(taken, 0, 1)]) {
      await checkpoint()
      const cut = cutLine(picture, regions[line] as Rectangle)
      readings.push([line, await recognizeLine(graph, characters, cut)])
    }
  } catch (error) {
    Atomics.store(taken, 0, order.length)
    throw error
  }
  return readings
}
