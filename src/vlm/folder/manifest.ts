import { basename, resolve } from 'node:path'
import type { CacheShape } from '../decoding/kv-cache.js'
import { readFamily } from '../families.js'
import type { ModelFamily } from '../family.js'
import type { ModelInfo, ModelRole } from '../model-info.js'
import { byProvider, type ProviderName } from '../onnx/providers.js'
import { digest } from './digest.js'
import { dig, type Json, ModelFolder } from './folder.js'
import { choosePrecision, type GraphFiles } from './precision.js'
import { readGenerationEnds } from './text.js'

/** All that a model folder says, read and checked. */
export interface Manifest {
  info: ModelInfo
  /** Paths of the three graphs in the chosen precision. */
  graphs: GraphFiles
  family: ModelFamily
  /** Ids that end an answer. */
  eos: ReadonlySet<number>
  /** Most tokens of prompt and answer together. */
  maxPositions: number
  cache: CacheShape
  /** The layers whose attention the decoder gives, from 0; null: it gives none. */
  attention: readonly number[] | null
}

export interface ManifestOptions {
  dir: string
  /** What the configuration uses the folder for. */
  role: ModelRole
  /** Suffix of the graphs; null: see `precision.ts`. */
  precision: string | null
  /** Whether every file is compared with the sha256 in `cropvlm.json`. */
  verifyHashes: boolean
}

const FORMAT = 2
const PROMPT_CONTRACT = 1

/**
 * Reads a model folder in the Hugging Face layout: one that `cropvlm-train export` wrote, with `cropvlm.json`, or one
 * of the hub, without. Which graphs are chosen depends on the execution provider, which is known only once they have
 * been opened: so there is one manifest for each provider.
 * @throws CropVlmError invalid_model, naming the file, if one is missing, damaged or has another sha256 than
 * `cropvlm.json` says, or if the model is of a family that cannot be run
 */
export async function readManifests(options: ManifestOptions): Promise<Record<ProviderName, Manifest>> {
  const { dir, role, precision: wanted, verifyHashes } = options
  const folder = new ModelFolder(resolve(dir))
  const config = await folder.json('config.json')
  const ours = await folder.optionalJson('cropvlm.json')
  if (ours) checkVersions(folder, ours)

  const family = await readFamily(folder, config)
  const attention = ours ? attentionLayers(folder, ours) : null
  const eos = new Set([family.endOfMessage, ...(await readGenerationEnds(folder))])
  const heads = folder.count('config.json', config, 'text_config', 'num_attention_heads')
  const choices = byProvider(provider => choosePrecision(folder, provider, { wanted, role, ours }))
  const used = Object.values(choices).flatMap(({ files }) => Object.values(files))
  const sums = await hashes(folder, ours, [...new Set(used)], verifyHashes)

  return byProvider((provider): Manifest => {
    const { precision, reason, files } = choices[provider]
    const { vision, embed, decoder } = files
    return {
      info: {
        id: textOf(ours?.id) ?? basename(folder.dir),
        role,
        revision: textOf(ours?.revision),
        ...resolutions(folder, ours, family),
        precision,
        precisionReason: reason,
        // a hub folder states none: those of the graphs that are loaded
        sha256: ours ? sums : only(sums, [vision, embed, decoder]),
        training: (ours?.training as Json | undefined) ?? null,
        warning: textOf(ours?.warning),
      },
      graphs: { vision: folder.path(vision), embed: folder.path(embed), decoder: folder.path(decoder) },
      family,
      eos,
      attention,
      maxPositions: folder.count('config.json', config, 'text_config', 'max_position_embeddings'),
      cache: {
        heads: (dig(config, 'text_config', 'num_key_value_heads') as number | undefined) ?? heads,
        headDim:
          (dig(config, 'text_config', 'head_dim') as number | undefined) ??
          folder.count('config.json', config, 'text_config', 'hidden_size') / heads,
      },
    }
  })
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

/** Longest edges that images may be brought to. The hub's folders name only the largest. */
function resolutions(folder: ModelFolder, ours: Json | null, { tile, maxEdge }: ModelFamily) {
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

/** `attention.layers` of `cropvlm.json`, which `cropvlm-train export --attention` writes. */
function attentionLayers(folder: ModelFolder, { attention }: Json): readonly number[] | null {
  if (attention === undefined) return null
  const layers = dig(attention, 'layers')
  const isLayer = (layer: unknown) => Number.isInteger(layer) && (layer as number) >= 0
  if (!Array.isArray(layers) || layers.length === 0 || !layers.every(isLayer))
    throw folder.fail('cropvlm.json', '`attention.layers` has to be a list of layers, from 0; export the model again.')
  return layers
}

/**
 * The sha256 of each file, checked against the one that `cropvlm.json` states if `verify`. A hub folder states none:
 * the graphs are hashed, for `/info`.
 */
async function hashes(folder: ModelFolder, ours: Json | null, graphs: string[], verify: boolean) {
  const promised = (ours?.sha256 ?? {}) as Record<string, string>
  if (!verify) return promised
  if (!ours) {
    const entries = graphs.map(async file => [file, await sha256(folder, file)] as const)
    return Object.fromEntries(await Promise.all(entries))
  }
  for (const file of graphs.filter(name => !promised[name]))
    throw folder.fail('cropvlm.json', `\`sha256\` does not name ${file}; export the model again.`)
  for (const [file, expected] of Object.entries(promised)) {
    const actual = await sha256(folder, file)
    if (actual !== expected)
      throw folder.fail(
        file,
        `its sha256 is ${actual}, not ${expected} as cropvlm.json says; fetch or export the model again.`,
      )
  }
  return promised
}

async function sha256(folder: ModelFolder, file: string): Promise<string> {
  try {
    return (await digest(folder.path(file))).sha256
  } catch (cause) {
    throw folder.fail(file, 'the file is missing from the model folder or cannot be read.', cause)
  }
}

function only(sums: Record<string, string>, files: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(sums).filter(([file]) => files.includes(file)))
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
