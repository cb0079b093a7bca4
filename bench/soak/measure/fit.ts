/** Whether memory grows: a line through samples that are noisy, and whose noise lasts from one sample to the next. */
import { median } from '../../stats.js'

/** A value at a time, in hours. */
export interface Point {
  hours: number
  value: number
}

export interface Line {
  /** Of the value, an hour. */
  slope: number
  /** Standard error of the slope; infinite where the samples are too few to tell it. */
  error: number
  /** How long the samples lasted. */
  hours: number
}

/** Medians that a line is fitted to: few enough that one holds many samples, and enough to tell their scatter. */
const BLOCKS = 30
const MIN_BLOCKS = 8

/**
 * Fits a line by least squares to the medians of blocks of the samples, so that a peak of a moment does not count.
 * The standard error allows for residuals that depend on the one before (a process of first order): memory that was taken
 * is kept for a while, and samples that follow one another say less than as many independent ones.
 */
export function fitLine(samples: readonly Point[], blocks = BLOCKS): Line {
  const hours = (samples.at(-1)?.hours ?? 0) - (samples[0]?.hours ?? 0)
  const points = blockMedians(samples, blocks)
  const count = points.length
  if (count < MIN_BLOCKS) return { slope: Number.NaN, error: Number.POSITIVE_INFINITY, hours }
  const middle = mean(points.map(point => point.hours))
  const level = mean(points.map(point => point.value))
  const spread = sum(points.map(point => (point.hours - middle) ** 2))
  const slope = sum(points.map(point => (point.hours - middle) * (point.value - level))) / spread
  const residuals = points.map(point => point.value - level - slope * (point.hours - middle))
  const variance = sum(residuals.map(residual => residual ** 2)) / (count - 2)
  const lasting = dependence(residuals)
  return { slope, error: Math.sqrt((variance / spread) * ((1 + lasting) / (1 - lasting))), hours }
}

/**
 * How long a run has to last for a standard error of `wanted`, if it goes on as it did: the error of a slope falls with the
 * time to the power of 3/2. null where nothing can be told yet.
 */
export function hoursFor({ error, hours }: Line, wanted: number): number | null {
  return Number.isFinite(error) ? hours * Math.max(1, error / wanted) ** (2 / 3) : null
}

/** The medians of times and values of blocks of equal time; those without a sample are left out. */
function blockMedians(samples: readonly Point[], blocks: number): Point[] {
  const [first, last] = [samples[0]?.hours ?? 0, samples.at(-1)?.hours ?? 0]
  const held = Array.from({ length: blocks }, (): Point[] => [])
  for (const sample of samples)
    held[Math.min(blocks - 1, Math.floor((blocks * (sample.hours - first)) / (last - first)))]?.push(sample)
  return held
    .filter(block => block.length > 0)
    .map(block => ({ hours: median(block.map(({ hours }) => hours)), value: median(block.map(({ value }) => value)) }))
}

/** The correlation of each residual with the next, 0..0.9, corrected for being found too small in short series. */
function dependence(residuals: readonly number[]): number {
  const all = sum(residuals.map(residual => residual ** 2))
  if (all === 0) return 0
  const found = sum(residuals.slice(1).map((residual, i) => residual * (residuals[i] as number))) / all
  return Math.min(0.9, Math.max(0, found + (1 + 4 * found) / residuals.length))
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
