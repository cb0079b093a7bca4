import { basename, resolve } from 'node:path'
import type { ModelInfo } from '../../engine/protocol.js'
import type { CacheShape } from '../decoding/kv-cache.js'
import type { ProcessorConfig } from '../idefics3/image-processor.js'
import { readProcessor } from '../idefics3/processor-config.js'
import type { PromptFormat } from '../idefics3/prompt.js'
import type { Provider } from '../onnx/session.js'
import { digest } from './digest.js'
import { dig, type Json, ModelFolder } from './folder.js'
import { choosePrecision, type GraphFiles, type PrecisionChoice } from './precision.js'
import { readText } from './text.js'

/** All that a model folder says, read and checked. */
export interface Manifest {
  info: ModelInfo
  /** Paths of the three graphs in the chosen precision. */
  graphs: GraphFiles
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
  /** What the configuration uses the folder for. */
  role: 'cropper' | 'target'
  /** Suffix of the graphs; null: see `precision.ts`. */
  precision: string | null
  verifyHashes: boolean
}

const FORMAT = 2
const PROMPT_CONTRACT = 1

/**
 * Reads a model folder in the Hugging Face layout, with `cropvlm.json` (an export of ours) or without (the hub's).
 * Which graphs are chosen depends on what runs them, and that is known only when they are opened: hence one for each.
 * Throws `invalid_model`, naming the file, if one is missing, damaged, has another sha256 than `cropvlm.json` says,
 * or describes a model that is no Idefics3.
 */
export async function readManifests(options: ManifestOptions): Promise<Record<Provider, Manifest>> {
  const { dir, role, precision, verifyHashes } = options
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
  const heads = folder.count('config.json', config, 'text_config', 'num_attention_heads')
  const request = { wanted: precision, role, ours }
  const chosen = {
    cpu: choosePrecision(folder, 'cpu', request),
    cuda: choosePrecision(folder, 'cuda', request),
  }
  const used = [chosen.cpu, chosen.cuda].flatMap(({ files }) => Object.values(files))
  const sums = await hashes(folder, ours, [...new Set(used)], verifyHashes)

  const manifest = ({ precision, reason, files: { vision, embed, decoder } }: PrecisionChoice): Manifest => ({
    info: {
      id: textOf(ours?.id) ?? basename(folder.dir),
      role,
      revision: textOf(ours?.revision),
      ...resolutions(folder, ours, processor.tile, maxEdge),
      precision,
      precisionReason: reason,
      // of a hub folder those that were loaded
      sha256: ours ? sums : only(sums, [vision, embed, decoder]),
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
  })
  return { cpu: manifest(chosen.cpu), cuda: manifest(chosen.cuda) }
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
