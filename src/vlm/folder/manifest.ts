import { basename, resolve } from 'node:path'
import type { CacheShape } from '../decoding/kv-cache.js'
import { readFamily } from '../families.js'
import type { ModelFamily } from '../family.js'
import type { ModelInfo, ModelRole } from '../model-info.js'
import { noStep, type OnStep } from '../on-step.js'
import { byProvider, type ProviderName } from '../onnx/providers.js'
import { type Description, readDescription } from './description.js'
import { digest } from './digest.js'
import { dig, type Json, ModelFolder } from './folder.js'
import { choosePrecision, type GraphFiles } from './precision.js'
import { readGenerationEnds } from './text.js'
import { weightFile } from './weights.js'

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
  /** Told of what is read. */
  onStep?: OnStep
}

/** Fewest tokens that are left for a question and an answer beside one tile. */
const MIN_TEXT_TOKENS = 32

/** Sizes of a language model beyond which a number is no size: several times those of the largest ones. */
const MOST = { positions: 10_000_000, heads: 1024, headDim: 4096, hiddenSize: 65_536 } as const

/**
 * Reads a model folder in the Hugging Face layout: one that `cropvlm-train export` wrote, with `cropvlm.json`, or one
 * of the hub, without. Which graphs are chosen depends on the execution provider, which is known only once they have
 * been opened: so there is one manifest for each provider.
 * @throws CropVlmError invalid_model, naming the file, if one is missing, damaged or has another sha256 than
 * `cropvlm.json` says, or if the model is of a family that cannot be run
 */
export async function readManifests(options: ManifestOptions): Promise<Record<ProviderName, Manifest>> {
  const { dir, role, precision: wanted, verifyHashes, onStep = noStep } = options
  const folder = new ModelFolder(resolve(dir))
  onStep('reading the settings in', folder.dir)
  const config = await folder.json('config.json')
  const ours = await readOurs(folder)

  const family = await readFamily(folder, config, onStep)
  // what a stranger has written has been tried
  onStep('reading the settings in', folder.dir)
  const attention = ours?.attention?.layers ?? null
  const eos = new Set([family.endOfMessage, ...(await readGenerationEnds(folder))])
  const maxPositions = readPositions(folder, config, family)
  const choices = byProvider(provider => choosePrecision(folder, provider, { wanted, role, ours }))
  const used = Object.values(choices).flatMap(({ files }) => Object.values(files))
  const sums = await hashes(folder, ours, [...new Set(used)], verifyHashes, onStep)

  const cache = readCacheShape(folder, config)

  return byProvider((provider): Manifest => {
    const { precision, reason, files } = choices[provider]
    const { vision, embed, decoder } = files
    return {
      info: {
        id: ours?.id ?? basename(folder.dir),
        role,
        revision: ours?.revision ?? null,
        ...resolutions(ours, family),
        precision,
        precisionReason: reason,
        // a hub folder states none: those of the graphs that are loaded
        sha256: ours ? sums : only(sums, [vision, embed, decoder]),
        training: ours?.training ?? null,
        warning: ours?.warning ?? null,
      },
      graphs: { vision: folder.path(vision), embed: folder.path(embed), decoder: folder.path(decoder) },
      family,
      eos,
      attention,
      maxPositions,
      cache,
    }
  })
}

/** `cropvlm.json`; null where the folder has none. @throws CropVlmError invalid_model, with every fault */
async function readOurs(folder: ModelFolder): Promise<Description | null> {
  const json = await folder.optionalJson('cropvlm.json')
  if (json === null) return null
  const read = readDescription(json)
  if ('description' in read) return read.description
  throw folder.fail('cropvlm.json', read.faults.length === 1 ? `${read.faults[0]}` : `\n- ${read.faults.join('\n- ')}`)
}

/** Most tokens that the decoder takes. One picture has to fit in, with room for a question and an answer. */
function readPositions(folder: ModelFolder, config: Json, { tokensPerTile }: ModelFamily): number {
  const positions = folder.count('config.json', config, MOST.positions, 'text_config', 'max_position_embeddings')
  if (positions > tokensPerTile + MIN_TEXT_TOKENS) return positions
  throw folder.fail(
    'config.json',
    `\`text_config.max_position_embeddings\` is ${positions}, but one tile takes ${tokensPerTile} tokens, and question and answer ${MIN_TEXT_TOKENS}.`,
  )
}

function readCacheShape(folder: ModelFolder, config: Json): CacheShape {
  const text = (most: number, key: string) => folder.count('config.json', config, most, 'text_config', key)
  const given = (key: string) => dig(config, 'text_config', key) !== undefined
  const heads = text(MOST.heads, 'num_attention_heads')
  const headDim = given('head_dim') ? text(MOST.headDim, 'head_dim') : text(MOST.hiddenSize, 'hidden_size') / heads
  if (!Number.isInteger(headDim))
    throw folder.fail('config.json', '`text_config.hidden_size` has to be a multiple of `num_attention_heads`.')
  return { heads: given('num_key_value_heads') ? text(MOST.heads, 'num_key_value_heads') : heads, headDim }
}

/** Longest edges that images may be brought to. The hub's folders name only the largest. */
function resolutions(ours: Description | null, { tile, maxEdge }: ModelFamily) {
  if (ours) return { resolutions: ours.resolutions, defaultResolution: ours.default_resolution }
  const doubling = [tile, tile * 2, tile * 4].filter(edge => edge <= maxEdge)
  return { resolutions: doubling.length > 0 ? doubling : [tile], defaultResolution: tile }
}

/**
 * The sha256 of each file, checked against the one that `cropvlm.json` states if `verify`. A hub folder states none:
 * the graphs are hashed, for `/info`.
 */
async function hashes(
  folder: ModelFolder,
  ours: Description | null,
  graphs: string[],
  verify: boolean,
  onStep: OnStep,
) {
  const promised = ours?.sha256 ?? {}
  if (!verify) return promised
  if (!ours) {
    const entries = graphs.map(async file => [file, await sha256(folder, file, onStep)] as const)
    return Object.fromEntries(await Promise.all(entries))
  }
  for (const file of graphs.filter(name => !promised[name]))
    throw folder.fail('cropvlm.json', `\`sha256\` does not name ${file}.`)
  for (const [file, expected] of Object.entries(promised)) {
    const actual = await sha256(folder, file, onStep)
    if (actual !== expected) throw folder.fail(file, `its sha256 is ${actual}, not ${expected} as cropvlm.json says.`)
  }
  return promised
}

/** Largest file that is hashed, in bytes: more than that of any graph with its weights. */
const MAX_HASHED_BYTES = 64 * 2 ** 30

/** Also checks where a graph says that its weights are. */
async function sha256(folder: ModelFolder, file: string, onStep: OnStep): Promise<string> {
  onStep('hashing', folder.path(file))
  const path = await folder.locate(file, MAX_HASHED_BYTES)
  const { sha256, locations } = await digest(path).catch(cause => {
    throw folder.fail(file, 'the file cannot be read.', cause)
  })
  for (const name of file.endsWith('.onnx') ? locations : []) weightFile(folder.path(file), name)
  return sha256
}

function only(sums: Record<string, string>, files: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(sums).filter(([file]) => files.includes(file)))
}
