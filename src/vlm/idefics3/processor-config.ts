import { dig, type Json, type ModelFolder } from '../folder/folder.js'

/** What decides the pixels that the vision encoder sees. */
export interface ProcessorConfig {
  /** Edge of a square tile, in pixels. */
  tile: number
  /** Whether larger images are cut into tiles at all. */
  split: boolean
  /** For each channel, a byte becomes `(byte * rescale - mean) / std`. */
  rescale: number
  mean: readonly [number, number, number]
  std: readonly [number, number, number]
}

/** What a folder says about images. */
interface ImageSettings {
  processor: ProcessorConfig
  /** Tokens that one tile becomes. */
  tokensPerTile: number
  /** Longest edge that the processor uses unless it is told another. */
  maxEdge: number
}

const LANCZOS = 1

/** Sizes beyond which a number is none: several times those of the largest encoders; values of pixels, and what divides them. */
const MOST = { tile: 4096, edge: 65_536, patch: 256, shuffle: 16, value: 10_000 } as const

/**
 * Reads `preprocessor_config.json`, or its newer place inside `processor_config.json`, and checks that it fits
 * `config.json`.
 * @throws CropVlmError invalid_model, naming the file
 */
export async function readProcessor(folder: ModelFolder, config: Json): Promise<ImageSettings> {
  const processor = (await folder.optionalJson('processor_config.json')) ?? {}
  const isNested = !folder.has('preprocessor_config.json') && dig(processor, 'image_processor') !== undefined
  const file = isNested ? 'processor_config.json' : 'preprocessor_config.json'
  const image = isNested ? (processor.image_processor as Json) : await folder.json(file)

  if ((image.resample ?? LANCZOS) !== LANCZOS)
    throw folder.fail(file, `\`resample\` is ${image.resample}; only ${LANCZOS} (Lanczos) is known.`)
  for (const step of ['do_resize', 'do_rescale', 'do_normalize'])
    if (image[step] === false) throw folder.fail(file, `\`${step}\` is false; an Idefics3 processor has it on.`)

  const tile = folder.count(file, image, MOST.tile, 'max_image_size', 'longest_edge')
  const trained = folder.count('config.json', config, MOST.tile, 'vision_config', 'image_size')
  if (tile !== trained)
    throw folder.fail(file, `tiles are ${tile} pixels, but config.json's vision encoder takes ${trained}.`)

  return {
    processor: {
      tile,
      split: image.do_image_splitting !== false,
      rescale: rescale(folder, file, image.rescale_factor ?? 1 / 255),
      mean: channels(folder, file, image, 'image_mean', -MOST.value),
      std: channels(folder, file, image, 'image_std', 1 / MOST.value),
    },
    tokensPerTile: tokensPerTile(folder, config, processor, tile),
    maxEdge: folder.count(file, image, MOST.edge, 'size', 'longest_edge'),
  }
}

function tokensPerTile(folder: ModelFolder, config: Json, processor: Json, tile: number): number {
  const patch = folder.count('config.json', config, MOST.patch, 'vision_config', 'patch_size')
  const shuffle = folder.count('config.json', config, MOST.shuffle, 'scale_factor')
  const tokens = Math.floor(Math.floor(tile / patch) ** 2 / shuffle ** 2)
  if (tokens < 1)
    throw folder.fail(
      'config.json',
      `a tile of ${tile} pixels in patches of ${patch}, with \`scale_factor\` ${shuffle}, makes no token.`,
    )
  const stated = processor.image_seq_len ?? tokens
  if (stated !== tokens)
    throw folder.fail(
      'processor_config.json',
      `\`image_seq_len\` is ${stated}, but config.json's patches and scale factor make ${tokens} tokens a tile.`,
    )
  return tokens
}

function rescale(folder: ModelFolder, file: string, value: unknown): number {
  if (isWithin(value, 1 / MOST.value)) return value
  throw folder.fail(file, `\`rescale_factor\` has to be a number from ${1 / MOST.value} to ${MOST.value}.`)
}

function channels(
  folder: ModelFolder,
  file: string,
  image: Json,
  key: string,
  least: number,
): [number, number, number] {
  const value = image[key]
  if (!Array.isArray(value) || value.length !== 3 || !value.every(n => isWithin(n, least)))
    throw folder.fail(file, `\`${key}\` has to be three numbers from ${least} to ${MOST.value}.`)
  return value as [number, number, number]
}

function isWithin(value: unknown, least: number): value is number {
  return typeof value === 'number' && value >= least && value <= MOST.value
}
