import type { ModelRole } from '../model-info.js'
import { PROVIDERS, type ProviderName } from '../onnx/providers.js'
import { dig, type Json, type ModelFolder } from './folder.js'
import { GRAPHS, type Graph, graphFile, PRECISIONS, type Precision, parsePrecision } from './graph-names.js'

/** A file of the folder for each graph of a model. */
export type GraphFiles = Record<Graph, string>

interface PrecisionChoice {
  precision: Precision
  /** Why this one, for the log and `/info`. */
  reason: string
  files: GraphFiles
}

interface PrecisionRequest {
  /** The operator's choice, by any of `PRECISION_NAMES`; null: the best for the provider. */
  wanted: string | null
  role: ModelRole
  /** `cropvlm.json`; null if the folder has none. */
  ours: Json | null
}

/**
 * Chooses the precision of the graphs to run on a provider: what the operator wants; else what is fastest on the
 * provider, if that is known to be as good; else the folder's own.
 * @throws CropVlmError invalid_model, naming the file, if the folder has not all graphs in the precision wanted
 */
export function choosePrecision(
  folder: ModelFolder,
  provider: ProviderName,
  { wanted, role, ours }: PrecisionRequest,
): PrecisionChoice {
  const complete = PRECISIONS.filter(precision => missing(folder, precision).length === 0)
  const choice = (precision: Precision, reason: string) => ({ precision, reason, files: filesOf(precision) })
  if (wanted !== null) return choice(required(folder, wanted, complete), 'asked for')
  const stated = typeof ours?.default_precision === 'string' ? ours.default_precision : null
  const own = stated === null ? complete[0] : required(folder, stated, complete)
  if (own === undefined) throw absent(folder, missing(folder, 'fp32')[0] ?? 'onnx')

  const { label, preferredPrecision } = PROVIDERS[provider]
  const { precision: fastest, minAgreement } = preferredPrecision
  if (complete.includes(fastest) && minAgreement === null) return choice(fastest, `the fastest on ${label}`)
  if (own === fastest || !complete.includes(fastest) || minAgreement === null) return choice(own, "the folder's own")
  const key = role === 'cropper' ? 'box_iou' : 'answers_equal'
  const agreement = dig(ours, 'scores', 'parity', fastest, key)
  if (typeof agreement === 'number' && agreement >= minAgreement)
    return choice(fastest, `the fastest on ${label}, and as good: its ${key} with fp32 is ${agreement}`)
  const why = typeof agreement === 'number' ? `is ${agreement}, below ${minAgreement}` : 'is not known'
  return choice(own, `the folder's own: the ${key} of ${fastest} with fp32 ${why}`)
}

function filesOf(precision: Precision): GraphFiles {
  const files = Object.keys(GRAPHS).map(graph => [graph, graphFile(graph as Graph, precision)])
  return Object.fromEntries(files) as GraphFiles
}

function missing(folder: ModelFolder, precision: Precision): string[] {
  return Object.values(filesOf(precision)).filter(file => !folder.has(file))
}

/** The precision that a name stands for; fails unless the folder has all graphs in it. */
function required(folder: ModelFolder, name: string, complete: readonly Precision[]): Precision {
  const precision = parsePrecision(name)
  if (precision && complete.includes(precision)) return precision
  // a name that stands for no precision is looked for as the suffix that it would be
  const gap = (precision && missing(folder, precision)[0]) ?? graphFile('vision', name as Precision)
  if (complete.length === 0) throw absent(folder, gap)
  const have = complete.join(', ')
  throw folder.fail(gap, `the file is missing; this folder has all graphs in ${have}, not in ${precision ?? name}.`)
}

function absent(folder: ModelFolder, file: string) {
  return folder.fail(file, 'the file is missing from the model folder.')
}
