/** What a fuzzer calls with bytes that it makes up. */
import assert from 'node:assert/strict'
import { CropVlmError, type ErrorCode } from '../src/errors.js'

export interface Target {
  /**
   * Reads the input as the service would. Rejects or throws where something is wrong with the service; an error that the
   * service documents is caught within.
   */
  run(input: Buffer): void | Promise<void>
  /** Whether `run` never gives a promise: it is then called without going through the event loop. */
  readonly isSync: boolean
  /** Most bytes of an input. */
  readonly maxLength: number
  /** Most milliseconds of CPU time that reading an input may take; a tenth of it would be slow already. */
  readonly maxMs: number
  /** Packages whose branches the fuzzer is to see besides those of `src/`, by their folder in node_modules. */
  readonly packages?: readonly string[]
  /** Words that inputs are made of, which would take long to be guessed. */
  readonly words?: readonly string[]
}

/** What a call gives, or the coded error that it throws. Any other error, and any other code, is a find. */
export function orCoded<T>(codes: readonly ErrorCode[], call: () => T): { value: T } | { error: CropVlmError } {
  try {
    return { value: call() }
  } catch (error) {
    return { error: coded(error, codes) }
  }
}

/** The same of a promise. */
export async function orCodedLater<T>(
  codes: readonly ErrorCode[],
  call: () => Promise<T>,
): Promise<{ value: T } | { error: CropVlmError }> {
  try {
    return { value: await call() }
  } catch (error) {
    return { error: coded(error, codes) }
  }
}

function coded(error: unknown, codes: readonly ErrorCode[]): CropVlmError {
  if (!(error instanceof CropVlmError)) throw error
  assert.ok(codes.includes(error.code), `${error.code} is not documented here: ${error.message}`)
  return error
}

/** Numbers for a target to choose by, taken from the start of the input, and the bytes that are left. */
export function choices(input: Buffer, count: number): { numbers: number[]; rest: Buffer } {
  const numbers = Array.from({ length: count }, (_, i) => input[i] ?? 0)
  return { numbers, rest: input.subarray(Math.min(count, input.length)) }
}
