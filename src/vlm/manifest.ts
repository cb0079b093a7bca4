import { basename, resolve } from 'node:path'
import type { ModelInfo } from '../engine/protocol.js'
import type { CacheShape } from './decoder.js'
import { dig, type Json, ModelFolder } from './folder.js'
import { readProcessor } from './manifest-processor.js'
import { readText } from './manifest-text.js'
import type { ProcessorConfig } from './processor.js'
import type { PromptFormat } from './prompt.js'

/** All that a model folder says, read and checked. */
export interface Manifest {
  info: ModelInfo
  /** Paths of the three graphs in the chosen precision. */
  graphs: { vision: string; embed: string; decoder: string }
  processor: ProcessorConfig
  prompt: PromptFormat
  /** Id of `<image>`, in whose places the features go. */
  imageToken: number
  /** Ids that end an answer. */
  eos: ReadonlySet<number>
  /** Most tokens of prompt and answer together. */
  maxPositions: number
  cache: CacheShape
}

export interface ManifestOptions {
  dir: string
  /** What the configuration uses the folder for; decides nothing else. */
  role: 'cropper' | 'target'
  precision: string | null
  verifyHashes: boolean
}

const GRAPHS = { vision: 'vision_encoder', embed: 'embed_tokens', decoder: 'decoder_model_merged' }
/** The hub's names, the likeliest to be wanted first; fp32 has no suffix. */
const PRECISIONS = ['fp32', 'fp16', 'int8', 'quantized', 'uint8', 'q4', 'q4f16', 'bnb4']
const FORMAT = 1
const PROMPT_CONTRACT = 1

/**
 * Reads a model folder in the Hugging Face layout, with `cropvlm.json` (an export of ours) or without (the hub's).
 * Throws `invalid_model`, naming the file, if one is missing, damaged, has another sha256 than `cropvlm.json` says,
 * or describes a model that is no Idefics3.
 */
export async function readManifest({ dir, role, precision, verifyHashes }: ManifestOptions): Promise<Manifest> {
  const folder = new ModelFolder(resolve(dir))
  const config = await folder.json('config.json')
  if (config.model_type !== 'idefics3' && config.model_type !== 'smolvlm')
    throw folder.fail(
      'config.json',
      `\`model_type\` is ${JSON.stringify(config.model_type)}; only "idefics3" and "smolvlm" can be run.`,
    )
  const ours = await folder.optionalJson('cropvlm.json')
  if (ours) checkVersions(folder, ours)

  const { processor, tokensPerTile, maxEdge } = await readProcessor(folder, config)
  const text = await readText(folder, tokensPerTile)
  const chosen = choosePrecision(folder, precision ?? textOf(ours?.default_precision))
  const files = Object.fromEntries(Object.entries(GRAPHS).map(([key, name]) => [key, graphFile(name, chosen)]))
  const { vision, embed, decoder } = files as typeof GRAPHS
  const heads = folder.count('config.json', config, 'text_config', 'num_attention_heads')

  return {
    info: {
      id: textOf(ours?.id) ?? basename(folder.dir),
      role,
      revision: textOf(ours?.revision),
      ...resolutions(folder, ours, processor.tile, maxEdge),
      precision: chosen,
      sha256: await hashes(folder, ours, [vision, embed, decoder], verifyHashes),
      training: (ours?.training as Json | undefined) ?? null,
    },
    graphs: { vision: folder.path(vision), embed: folder.path(embed), decoder: folder.path(decoder) },
    processor,
    ...text,
    maxPositions: folder.count('config.json', config, 'text_config', 'max_position_embeddings'),
    cache: {
      heads: (dig(config, 'text_config', 'num_key_value_heads') as number | undefined) ?? heads,
      headDim:
        (dig(config, 'text_config', 'head_dim') as number | undefined) ??
        folder.count('config.json', config, 'text_config', 'hidden_size') / heads,
    },
  }
}

function checkVersions(folder: ModelFolder, ours: Json): void {
  if (ours.format !== FORMAT)
    throw folder.fail(
      'cropvlm.json',
      `\`format\` is ${ours.format}, this service reads ${FORMAT}; update the service or export the model again.`,
    )
  if (ours.prompt_contract !== PROMPT_CONTRACT)
    throw folder.fail(
      'cropvlm.json',
      `the model was trained with prompt contract ${ours.prompt_contract}, this service speaks ${PROMPT_CONTRACT}.`,
    )
}

function graphFile(graph: string, precision: string): string {
  return `onnx/${graph}${precision === 'fp32' ? '' : `_${precision}`}.onnx`
}

function choosePrecision(folder: ModelFolder, wanted: string | null): string {
  const name = wanted === 'q8' ? 'quantized' : wanted
  const missing = (precision: string) =>
    Object.values(GRAPHS)
      .map(graph => graphFile(graph, precision))
      .filter(file => !folder.has(file))
  const complete = PRECISIONS.filter(precision => missing(precision).length === 0)
  if (name === null) {
    const [first] = complete
    if (!first) throw folder.fail(missing('fp32')[0] ?? 'onnx', 'the file is missing from the model folder.')
    return first
  }
  const [gap] = PRECISIONS.includes(name) ? missing(name) : [graphFile(GRAPHS.vision, name)]
  if (gap === undefined) return name
  if (complete.length === 0) throw folder.fail(gap, 'the file is missing from the model folder.')
  throw folder.fail(gap, `the file is missing; this folder has all graphs in ${complete.join(', ')}, not in ${name}.`)
}

/** Longest edges that the model may be shown. The hub's folders name only the largest. */
function resolutions(folder: ModelFolder, ours: Json | null, tile: number, maxEdge: number) {
  if (!ours) {
    const doubling = [tile, tile * 2, tile * 4].filter(edge => edge <= maxEdge)
    return { resolutions: doubling.length > 0 ? doubling : [tile], defaultResolution: tile }
  }
  const list = ours.resolutions
  const isEdge = (edge: unknown): edge is number => Number.isInteger(edge) && (edge as number) > 0
  if (!Array.isArray(list) || list.length === 0 || !list.every(isEdge))
    throw folder.fail('cropvlm.json', '`resolutions` has to be a list of whole numbers of pixels.')
  const preferred = ours.default_resolution
  if (!isEdge(preferred) || !list.includes(preferred))
    throw folder.fail('cropvlm.json', '`default_resolution` has to be one of `resolutions`.')
  return { resolutions: list, defaultResolution: preferred }
}

/** Checks what `cropvlm.json` promises; of a hub folder it can only tell what was loaded. */
async function hashes(folder: ModelFolder, ours: Json | null, graphs: string[], verify: boolean) {
  const promised = (ours?.sha256 ?? {}) as Record<string, string>
  if (!verify) return promised
  if (!ours) {
    const entries = graphs.map(async file => [file, await folder.sha256(file)] as const)
    return Object.fromEntries(await Promise.all(entries))
  }
  for (const file of graphs.filter(name => !promised[name]))
    throw folder.fail('cropvlm.json', `\`sha256\` does not name ${file}; export the model again.`)
  for (const [file, expected] of Object.entries(promised)) {
    const actual = await folder.sha256(file)
    if (actual !== expected)
      throw folder.fail(
        file,
        `its sha256 is ${actual}, not ${expected} as cropvlm.json says; fetch or export the model again.`,
      )
  }
  return promised
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
