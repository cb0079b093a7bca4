import { LRUCache } from 'lru-cache'
import type { Job } from '../protocol.js'

/** Bytes that a key looks at. */
const SAMPLES = 64
/** Images remembered; about what the processes' caches can hold. */
const MAX_IMAGES = 256

/**
 * Remembers which process was asked about which image: that one may have kept what it computed of it. It only steers:
 * a wrong guess costs time and nothing else, so a sample of the file's bytes is key enough.
 */
export class ImageRouter<P extends object> {
  readonly #last = new LRUCache<number, P>({ max: MAX_IMAGES })

  /** The one of `candidates` that was last given the image of `job`; undefined where that is none of them. */
  choose(candidates: readonly P[], job: Job): P | undefined {
    const known = this.#last.get(imageKey(job))
    return candidates.find(candidate => candidate === known)
  }

  remember(job: Job, process: P): void {
    this.#last.set(imageKey(job), process)
  }
}

/** FNV-1a over the length and bytes from all over the first image: files of one camera begin alike. */
function imageKey(job: Job): number {
  const image = job.kind === 'generate' ? (job.images[0] ?? new Uint8Array()) : job.image
  let hash = 0x811c9dc5 ^ image.length
  const step = Math.max(1, image.length / SAMPLES)
  for (let at = 0; at < image.length; at += step) hash = Math.imul(hash ^ (image[Math.floor(at)] ?? 0), 0x01000193)
  return hash
}
