import type { RawImage } from '../../image/decode.js'
import { noStep, type OnStep } from '../../vlm/on-step.js'
import type { GraphCache } from '../../vlm/onnx/optimised/cache.js'
import { openSessions, type Session } from '../../vlm/onnx/session.js'
import type { Rectangle } from '../detect/rectangle.js'
import type { Reading } from './ctc.js'
import { LINE_HEIGHT } from './cut.js'
import { LineThread } from './line-thread.js'
import { PixelPool } from './pixel-pool.js'
import { readLines, shareWork } from './work.js'

/** Threads that read lines at most: each holds the graph's weights and tensors, tens of megabytes. */
const MAX_THREADS = 4

/**
 * Reads the lines of a picture, several at once. A line is too small to be shared: threads of one run wait for one another
 * after each node of the graph, for nearly as long as they compute.
 */
export class LineReader {
  readonly #pool = new PixelPool()

  constructor(
    private readonly graph: Session,
    private readonly characters: readonly string[],
    private readonly others: readonly LineThread[],
  ) {}

  /**
   * @param checkpoint Called before each line that this thread reads; what it throws ends the work.
   * @returns One reading a region, in their order.
   */
  async read(picture: RawImage, regions: readonly Rectangle[], checkpoint: () => Promise<void>): Promise<Reading[]> {
    const memory = this.#pool.take(picture.data.length)
    const work = shareWork(picture, regions, memory)
    const helpers = this.others.slice(0, Math.max(0, regions.length - 1))
    const parts = [...helpers.map(other => other.read(work)), readLines(this.graph, this.characters, work, checkpoint)]
    // where one fails, the others are still at their lines
    void Promise.allSettled(parts).then(() => this.#pool.give(memory))
    const all = await Promise.all(parts)
    const readings: Reading[] = []
    for (const [line, reading] of all.flat()) readings[line] = reading
    return readings
  }

  /** Each thread reads one grey line, so that memory is allocated and they are known to answer. */
  async warmUp(): Promise<void> {
    const [width, height] = [2 * LINE_HEIGHT, LINE_HEIGHT]
    const grey = { width, height, data: new Uint8Array(width * height * 3).fill(128) }
    const corners = [
      [0, 0],
      [width, 0],
      [width, height],
      [0, height],
    ] as const
    const work = () => shareWork(grey, [{ corners, width, height }])
    await readLines(this.graph, this.characters, work(), async () => {})
    await Promise.all(this.others.map(other => other.read(work())))
  }
}

/**
 * Loads the recognition's graph, once for each thread that reads lines.
 * @param threads Threads of all runs together.
 * @throws CropVlmError invalid_model
 */
export async function openLineReader(
  recognition: string,
  characters: readonly string[],
  threads: number,
  cache: GraphCache | null,
  onStep: OnStep = noStep,
): Promise<LineReader> {
  const count = Math.min(threads, MAX_THREADS)
  const each = Math.floor(threads / count)
  const { sessions } = await openSessions([recognition], 'cpu', each, cache, onStep)
  const options = {
    recognition,
    characters,
    threads: each,
    cache: cache && { dir: cache.dir, memoryLimit: cache.memoryLimit ?? null },
  }
  const others = await Promise.all(Array.from({ length: count - 1 }, () => LineThread.start(options)))
  return new LineReader(sessions[0] as Session, characters, others)
}
