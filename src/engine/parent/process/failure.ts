import { CropVlmError } from '../../../errors.js'

/** What to do about a first load that ended so. */
const REMEDIES: readonly [how: RegExp, remedy: string][] = [
  [
    /MODEL_MEMORY_LIMIT/,
    ' Raise MODEL_MEMORY_LIMIT, give the machine or the container more memory, or take a smaller model or precision (MODEL_PRECISION); a file from a stranger may also mean harm.',
  ],
  [/was not ready/, ' Take a smaller model; a file from a stranger may also mean harm.'],
  [
    /SIGABRT|SIGTRAP/,
    ' V8 ends a process so whose memory is full: take a smaller model; a file from a stranger may also mean harm.',
  ],
  [/SIGKILL/, ' SIGKILL is often the kernel, out of memory: give it more, or a smaller model.'],
]

/**
 * The error of a first load that failed without an error of its own.
 * @param how As in "was killed by SIGKILL".
 * @param step What it was doing, as in "hashing FILE"; null: unknown.
 */
export function startFailure(how: string, step: string | null): CropVlmError {
  const [, remedy = ''] = REMEDIES.find(([pattern]) => pattern.test(how)) ?? []
  const doing = step === null ? 'while it loaded the models' : `while it was ${step}`
  return new CropVlmError('engine_unavailable', `The engine process ${how} ${doing}.${remedy}`)
}

/**
 * The error of a start that was ended while it ran what a stranger wrote.
 * @param how As in "took more than 64 MiB of memory".
 */
export function trialFailure(file: string, how: string): CropVlmError {
  return new CropVlmError(
    'invalid_model',
    `${file}: what is in it ${how} when it was tried, and was ended. Fetch or export the model again, from a source that you trust.`,
  )
}
