import { END_OF_UTTERANCE, type Size } from '../../contract/box.js'
import type { ImageSource } from '../../image/decode.js'
import type { Features, ModelFamily } from '../family.js'
import type { Json, ModelFolder } from '../folder/folder.js'
import { readText, specialToken } from '../folder/text.js'
import type { OnStep } from '../on-step.js'
import type { Session } from '../onnx/session.js'
import { attentionMap } from './attention-map.js'
import { gridOf, type TileGrid } from './grid.js'
import { processImage, type TiledImage } from './image-processor.js'
import { type ProcessorConfig, readProcessor } from './processor-config.js'
import { FAKE, GLOBAL, IMAGE, type PromptFormat, promptIds, reasonOf, writePrompt } from './prompt.js'
import { encodeTiles } from './vision-encoder.js'

/**
 * Sets up the Idefics3 family (Idefics3, SmolVLM) from a folder's configuration, tokenizer and chat template.
 * @throws CropVlmError invalid_model, naming the file
 */
export async function readIdefics3(folder: ModelFolder, config: Json, onStep: OnStep): Promise<Idefics3> {
  const { processor, tokensPerTile, maxEdge } = await readProcessor(folder, config)
  const text = await readText(folder, onStep)
  const idOf = (token: string) => specialToken(folder, text.tokenizer, token)
  for (const token of [FAKE, GLOBAL]) idOf(token)
  const prompt = { ...text, tokensPerTile }
  onStep('trying the chat template of', folder.path(prompt.templateFile), true)
  checkPrompt(folder, prompt)
  return new Idefics3(processor, prompt, maxEdge, idOf(IMAGE), idOf(END_OF_UTTERANCE))
}

/** Writes one prompt, so that a template or a pattern that cannot be used is found now and not by the first request. */
function checkPrompt(folder: ModelFolder, prompt: PromptFormat): void {
  try {
    writePrompt(prompt, [{ rows: 0, cols: 0 }], 'What does the smallest text in this picture say, and where is it?')
  } catch (cause) {
    throw folder.fail(
      prompt.templateFile,
      `no prompt can be written by its chat template and the patterns of tokenizer.json (${reasonOf(cause)}).`,
      cause,
    )
  }
}

/** The Idefics3 family, for one model folder. */
export class Idefics3 implements ModelFamily<TileGrid, TiledImage> {
  constructor(
    readonly processor: ProcessorConfig,
    readonly prompt: PromptFormat,
    readonly maxEdge: number,
    readonly imageToken: number,
    readonly endOfMessage: number,
  ) {}

  get tokenizer() {
    return this.prompt.tokenizer
  }

  get tile() {
    return this.processor.tile
  }

  get tokensPerTile() {
    return this.prompt.tokensPerTile
  }

  gridOf(size: Size, longestEdge: number): TileGrid {
    return gridOf(size, longestEdge, this.processor)
  }

  process(image: ImageSource, grid: TileGrid): Promise<TiledImage> {
    return processImage(image, grid, this.processor)
  }

  promptIds(images: readonly TileGrid[], text: string): number[] {
    return promptIds(this.prompt, images, text)
  }

  attentionMap(grid: TileGrid, attention: Float32Array) {
    return attentionMap(grid, attention)
  }

  async encode(
    vision: Session,
    images: readonly TiledImage[],
    pixelsPerRun: number,
    signal: AbortSignal,
  ): Promise<Features[]> {
    const { data, dim } = await encodeTiles(vision, images, this.processor, signal, pixelsPerRun)
    let from = 0
    return images.map(({ grid }) => {
      const to = from + grid.tiles * this.prompt.tokensPerTile * dim
      const features = { data: data.subarray(from, to), dim }
      from = to
      return features
    })
  }
}
