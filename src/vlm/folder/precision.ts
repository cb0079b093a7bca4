import type { Provider } from '../onnx/session.js'
import { dig, type Json, type ModelFolder } from './folder.js'

/** The hub's names, the likeliest to be wanted first; fp32 has no suffix. */
const PRECISIONS = ['fp32', 'fp16', 'int8', 'quantized', 'uint8', 'q4', 'q4f16', 'bnb4']
const GRAPHS = { vision: 'vision_encoder', embed: 'embed_tokens', decoder: 'decoder_model_merged' }

/** The three graphs of a model, by their files. */
export type GraphFiles = Record<keyof typeof GRAPHS, string>

/**
 * Agreement with fp32 from which int8 counts as good as it: the mean IoU of a cropper's boxes, or the share of a
 * target's answers that are the same, both on pages that no run trained on (the trainer's `export/pages.py`).
 */
const AGREEMENT = 0.98

export interface PrecisionChoice {
  /** Suffix of the graphs. */
  precision: string
  /** Why this one, for the log and `/info`. */
  reason: string
  /** In the folder. */
  files: GraphFiles
}

export interface PrecisionRequest {
  /** The operator's choice; null: ours. */
  wanted: string | null
  role: 'cropper' | 'target'
  /** `cropvlm.json`; null where the folder has none. */
  ours: Json | null
}

/**
 * Which graphs of a folder to run on `provider`.
 * Throws `invalid_model`, naming the file, where the folder lacks some of what is wanted.
 */
export function choosePrecision(
  folder: ModelFolder,
  provider: Provider,
  { wanted, role, ours }: PrecisionRequest,
): PrecisionChoice {
  const complete = PRECISIONS.filter(precision => missing(folder, precision).length === 0)
  const choice = (precision: string, reason: string) => ({ precision, reason, files: filesOf(precision) })
  if (wanted !== null) {
    const precision = wanted === 'q8' ? 'quantized' : wanted
    requireAll(folder, precision, complete)
    return choice(precision, 'asked for')
  }
  const own = typeof ours?.default_precision === 'string' ? ours.default_precision : null
  if (own !== null) requireAll(folder, own, complete)
  const precision = own ?? complete[0]
  if (precision === undefined) throw absent(folder, missing(folder, 'fp32')[0] ?? 'onnx')
  if (provider === 'cuda' && complete.includes('fp16')) return choice('fp16', 'the fastest on CUDA')
  if (provider === 'cuda' || precision === 'int8' || !complete.includes('int8'))
    return choice(precision, "the folder's own")
  const key = role === 'cropper' ? 'box_iou' : 'answers_equal'
  const agreement = dig(ours, 'scores', 'parity', 'int8', key)
  if (typeof agreement === 'number' && agreement >= AGREEMENT)
    return choice('int8', `the fastest on a CPU, and as good: its ${key} with fp32 is ${agreement}`)
  const why = typeof agreement === 'number' ? `is ${agreement}, below ${AGREEMENT}` : 'is not known'
  return choice(precision, `the folder's own: the ${key} of int8 with fp32 ${why}`)
}

function filesOf(precision: string): GraphFiles {
  const file = (graph: string) => `onnx/${graph}${precision === 'fp32' ? '' : `_${precision}`}.onnx`
  return { vision: file(GRAPHS.vision), embed: file(GRAPHS.embed), decoder: file(GRAPHS.decoder) }
}

function missing(folder: ModelFolder, precision: string): string[] {
  return Object.values(filesOf(precision)).filter(file => !folder.has(file))
}

function requireAll(folder: ModelFolder, precision: string, complete: readonly string[]): void {
  const [gap] = PRECISIONS.includes(precision) ? missing(folder, precision) : [filesOf(precision).vision]
  if (gap === undefined) return
  if (complete.length === 0) throw absent(folder, gap)
  const have = complete.join(', ')
  throw folder.fail(gap, `the file is missing; this folder has all graphs in ${have}, not in ${precision}.`)
}

function absent(folder: ModelFolder, file: string) {
  return folder.fail(file, 'the file is missing from the model folder.')
}
