/**
 * Everything that can be configured, by environment variables alone. This is the only file that reads `process.env`.
 * Each option is documented where it is declared; the schema is the type. An empty variable counts as unset, so that
 * `API_KEY: ${API_KEY:-}` in a compose file does what it looks like.
 */
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CropVlmError } from '../errors.js'
import type { TargetConfig } from './target-entry.js'
import { readTargets, TARGET_OPTIONS } from './targets.js'
import {
  choice,
  flag,
  folderOrOff,
  integer,
  integerOr,
  type Option,
  optionalChoice,
  optionalText,
  PRECISIONS,
  path,
  text,
} from './variables.js'

export type { LocalTargetConfig, OpenAiTargetConfig, ReaderTargetConfig, TargetConfig } from './target-entry.js'
export { PRECISIONS, type Precision } from './variables.js'

const HOUR_MS = 3_600_000

/** Where this user's caches are; in the temporary folder for a user without a home. */
function userCache(name: string): string {
  try {
    return join(homedir(), '.cache', name)
  } catch {
    return join(tmpdir(), `${name}-${process.getuid?.() ?? 'cache'}`)
  }
}

const SERVICE_OPTIONS = {
  host: text('HOST', '127.0.0.1', 'Address to listen on; 0.0.0.0 for every interface (the container images set that).'),
  port: integer('PORT', 8080, { min: 0, max: 65_535 }, 'Port to listen on; 0 takes a free one.'),
  apiKey: optionalText(
    'API_KEY',
    'Bearer token every route but health and metrics asks for; unset: no key is needed.',
    {
      secret: true,
    },
  ),
  logLevel: choice(
    'LOG_LEVEL',
    'info',
    ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'],
    'Least level of log lines. Questions appear at trace only; keys and image bytes never.',
  ),
  cropper: choice(
    'CROPPER',
    'onnx',
    ['onnx', 'text'],
    "What finds the region: onnx, the model of CROPPER_MODEL; text, a rule over the picture's text.",
  ),
  cropperModel: path(
    'CROPPER_MODEL',
    new URL('../../models/cropvlm-mini', import.meta.url),
    'models/cropvlm-mini',
    'Model folder of the cropper, in the layout of the Hugging Face hub.',
  ),
  modelPrecision: optionalChoice(
    'MODEL_PRECISION',
    PRECISIONS,
    'chosen',
    "Which of the cropper's ONNX files to load, by their suffix (the hub's \"q8\" is quantized). Chosen is fp16 on CUDA, int8 on a CPU where the folder says that it agrees with fp32, else the folder's own.",
  ),
  executionProvider: choice(
    'EXECUTION_PROVIDER',
    'auto',
    ['auto', 'cpu', 'cuda'],
    'Where models run. auto takes CUDA where it can be had and says which and why at start; cuda without CUDA is an error.',
  ),
  threads: integerOr(
    'THREADS',
    'auto',
    null,
    { min: 1, max: 1024, unit: 'threads' },
    'Threads of one model run; auto shares the physical cores that the service may use among ENGINE_PROCESSES.',
  ),
  engineProcesses: integer(
    'ENGINE_PROCESSES',
    1,
    { min: 1, max: 256 },
    'Processes that run the models, each one batch at a time; on a CPU they share one copy of the weights.',
  ),
  batchSize: integerOr(
    'BATCH_SIZE',
    'auto',
    null,
    { min: 1, max: 256, unit: 'jobs' },
    'Waiting jobs that an idle process takes at once, as one batch; auto is 1 on a CPU and 8 on CUDA.',
  ),
  batchDelayMs: integer(
    'BATCH_DELAY_MS',
    0,
    { min: 0, max: 1000, unit: 'ms' },
    'How long a job waits for others where fewer than BATCH_SIZE are there; 0 waits for none.',
  ),
  graphCacheDir: folderOrOff(
    'GRAPH_CACHE_DIR',
    userCache('cropvlm'),
    '~/.cache/cropvlm',
    'Folder that keeps graphs optimised for this CPU, so that they load faster and processes share them; off keeps none.',
  ),
  prefixCacheBytes: integer(
    'PREFIX_CACHE_BYTES',
    256 * 1024 * 1024,
    { min: 0, max: 1024 ** 4, unit: 'bytes' },
    'Most memory each model of an engine process takes to remember images, so that another question about one costs no vision; 0 remembers none.',
  ),
  constrainedDecoding: flag(
    'CONSTRAINED_DECODING',
    true,
    'on masks the logits so that every answer is a valid box; off decodes freely, and an invalid answer is a fallback.',
  ),
  maxBodyBytes: integer(
    'MAX_BODY_BYTES',
    20 * 1024 * 1024,
    { min: 1024, max: 1024 ** 3, unit: 'bytes' },
    'Largest request body.',
  ),
  maxPixels: integer(
    'MAX_PIXELS',
    50_000_000,
    { min: 1, max: 1_000_000_000, unit: 'pixels' },
    'Largest image, width times height, read from its header before anything is decoded.',
  ),
  maxAspect: integer(
    'MAX_ASPECT',
    100,
    { min: 1, max: 100_000 },
    "Largest ratio of an image's longer edge to its shorter.",
  ),
  maxQuestionChars: integer(
    'MAX_QUESTION_CHARS',
    2000,
    { min: 1, max: 1_000_000, unit: 'characters' },
    'Longest question.',
  ),
  requestTimeoutMs: integer(
    'REQUEST_TIMEOUT_MS',
    60_000,
    { min: 100, max: HOUR_MS, unit: 'ms' },
    'Deadline of one request, waiting in the queue included.',
  ),
  queueSize: integer(
    'QUEUE_SIZE',
    64,
    { min: 1, max: 100_000, unit: 'jobs' },
    'Jobs that may wait for the engine; one more is refused with 429.',
  ),
  shutdownGraceMs: integer(
    'SHUTDOWN_GRACE_MS',
    30_000,
    { min: 0, max: HOUR_MS, unit: 'ms' },
    'How long requests in flight may take to finish after SIGTERM or SIGINT.',
  ),
}

type Values<Schema> = { readonly [Key in keyof Schema]: Schema[Key] extends Option<infer T> ? T : never }

export type Config = Values<typeof SERVICE_OPTIONS> & {
  /** The target VLMs; the first is the default. Never empty. */
  readonly targets: readonly [TargetConfig, ...TargetConfig[]]
}

export type ExecutionProvider = Config['executionProvider']
export type LogLevel = Config['logLevel']

/** Every option, for the documentation and the tests that hold it to this file. */
export const OPTIONS: readonly Omit<Option<unknown>, 'parse'>[] = [
  ...Object.values(SERVICE_OPTIONS),
  ...Object.values(TARGET_OPTIONS),
]

/**
 * Reads and checks the whole environment.
 * @throws CropVlmError `invalid_config` that lists every problem: the variable, its value (secrets not shown), the remedy.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems: string[] = []
  const settings = readOptions(SERVICE_OPTIONS, env, problems)
  const targets = readTargets(readOptions(TARGET_OPTIONS, env, problems), env, problems)
  const [first, ...others] = targets
  if (problems.length > 0 || !first)
    throw new CropVlmError('invalid_config', `The configuration is wrong:\n${problems.map(p => `- ${p}`).join('\n')}`)
  return Object.freeze({ ...settings, targets: Object.freeze([first, ...others] as const) })
}

function readOptions<Schema extends Record<string, Option<unknown>>>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Values<Schema> {
  const values = Object.entries(schema).map(([name, option]) => {
    const text = env[option.env]?.trim()
    if (!text) return [name, option.default]
    const value = option.parse(text)
    const shown = option.secret ? 'wrong (its value is not shown)' : JSON.stringify(text)
    if (value === undefined)
      problems.push(
        `${option.env} is ${shown}; set it to ${option.expected}, or unset it (default: ${option.defaultText}).`,
      )
    return [name, value]
  })
  return Object.fromEntries(values) as Values<Schema>
}
