/** The stages of an answer: reading the images, resizing them, vision encoder, prefill, decode loop. */
export type GenerationStage = 'decode' | 'preprocess' | 'vision' | 'prefill' | 'generate'

/**
 * When a stage was at work. Both ends are in milliseconds on the machine's own clock, which all its processes read alike
 * (`MACHINE_CLOCK`).
 */
export interface Interval<Stage extends string = GenerationStage> {
  readonly stage: Stage
  readonly start: number
  readonly end: number
}

/**
 * What `performance.now()` is to be added to for the machine's clock: `process.hrtime`, which counts from the start of the
 * machine, while `performance.now()` counts from the start of the process.
 */
export const MACHINE_CLOCK = machineClock()

/** Both clocks are read many times, for the process may be halted between the two: the closest readings count. */
function machineClock(): number {
  let [offset, closest] = [0, Number.POSITIVE_INFINITY]
  for (let i = 0; i < 50; i++) {
    const before = performance.now()
    const machine = Number(process.hrtime.bigint()) / 1e6
    const gap = performance.now() - before
    if (gap < closest) [offset, closest] = [machine - before - gap / 2, gap]
  }
  return offset
}

/** @param start On `performance.now()`'s clock, as `end` is. Default of `end`: now. */
export function interval<Stage extends string>(
  stage: Stage,
  start: number,
  end: number = performance.now(),
): Interval<Stage> {
  return { stage, start: start + MACHINE_CLOCK, end: end + MACHINE_CLOCK }
}
