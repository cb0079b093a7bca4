/** Which rows of the input the output has already: 8 bytes a row. */

/** As many rows as a batch may have: 400 MB of what is held here. */
export const MAX_ROWS = 50_000_000

/**
 * A row is known by its place and its hash, so that equal rows are told apart. Once the row at some place turns out to be
 * another than the output has for it, the input was changed, and from there on rows are known by their hash alone.
 */
export class DoneRows {
  #hashes = new BigUint64Array(1024)
  /** Rows for a place that another row has taken: the input was changed in an earlier run. */
  #others: bigint[] = []
  #left = 0
  #anywhere: Multiset | null = null
  #changedAt: number | null = null

  /** Records a row that the output has. */
  add(index: number, hash: bigint): void {
    if (index >= this.#hashes.length) {
      const larger = new BigUint64Array(Math.min(MAX_ROWS, Math.max(index + 1, 2 * this.#hashes.length)))
      larger.set(this.#hashes)
      this.#hashes = larger
    }
    if (this.#hashes[index] === 0n) this.#hashes[index] = hash
    else this.#others.push(hash)
    this.#left++
  }

  /** Whether the output has this row of the input. To be called once for each row, in the input's order. */
  claim(index: number, hash: bigint): boolean {
    if (this.#anywhere === null) {
      const known = this.#hashes[index] ?? 0n
      if (known !== hash && (known !== 0n || this.#others.length > 0)) {
        this.#changedAt = index
        this.#anywhere = new Multiset([...this.#others], this.#hashes)
      } else if (known === 0n) return false
      else this.#hashes[index] = 0n
    }
    if (this.#anywhere !== null && !this.#anywhere.take(hash)) return false
    this.#left--
    return true
  }

  /** Rows of the output that no row of the input has claimed. */
  get left(): number {
    return this.#left
  }

  /** The first row that is another than before; null where there is none yet. */
  get changedAt(): number | null {
    return this.#changedAt
  }
}

class Multiset {
  readonly #sorted: BigUint64Array
  /** For the first of equal hashes: how many of them are taken. */
  readonly #taken: Uint32Array

  constructor(some: readonly bigint[], others: BigUint64Array) {
    const present = others.filter(hash => hash !== 0n)
    this.#sorted = new BigUint64Array(some.length + present.length)
    this.#sorted.set(some)
    this.#sorted.set(present, some.length)
    this.#sorted.sort()
    this.#taken = new Uint32Array(this.#sorted.length)
  }

  take(hash: bigint): boolean {
    const first = this.#firstOf(hash)
    if (first === this.#sorted.length) return false
    const next = first + (this.#taken[first] ?? 0)
    if (this.#sorted[next] !== hash) return false
    this.#taken[first] = next - first + 1
    return true
  }

  /** Where the hash stands or would stand. */
  #firstOf(hash: bigint): number {
    let [low, high] = [0, this.#sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sorted[middle] as bigint) < hash) low = middle + 1
      else high = middle
    }
    return low
  }
}
