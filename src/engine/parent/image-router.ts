import type { Job } from '../protocol.js'

/** Bytes that a key looks at. */
const SAMPLES = 64
/** Images remembered; about what the processes' caches can hold. */
const REMEMBERED = 256

/**
 * Remembers which process was asked about which image: that one may have kept what it computed of it. It only steers:
 * a wrong guess costs time and nothing else, so a sample of the file's bytes is key enough.
 */
export class Affinity<P> {
  readonly #last = new Map<number, P>()

  /** The one of `candidates` that was last given the image of `job`; undefined where that is none of them. */
  choose(candidates: readonly P[], job: Job): P | undefined {
    const known = this.#last.get(imageKey(job))
    return candidates.find(candidate => candidate === known)
  }

  remember(job: Job, process: P): void {
    const key = imageKey(job)
    // the key moves to the end, so that the first is the one not seen for longest
    this.#last.delete(key)
    this.#last.set(key, process)
    const [oldest] = this.#last.keys()
    if (this.#last.size > REMEMBERED && oldest !== undefined) this.#last.delete(oldest)
  }
}

/** FNV-1a over the length and bytes from all over the first image: files of one camera begin alike. */
function imageKey(job: Job): number {
  const image = job.kind === 'crop' ? job.image : (job.images[0] ?? new Uint8Array())
  let hash = 0x811c9dc5 ^ image.length
  const step = Math.max(1, image.length / SAMPLES)
  for (let at = 0; at < image.length; at += step) hash = Math.imul(hash ^ (image[Math.floor(at)] ?? 0), 0x01000193)
  return hash
}
