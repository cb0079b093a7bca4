import type { ModelInfo, Timings } from '../engine/protocol.js'
import { CropVlmError } from '../errors.js'
import type { RawImage } from '../image.js'
import { breathe, throwIfAborted } from './abort.js'
import { decode } from './decode.js'
import { type DecoderRun, startDecoder } from './decoder.js'
import { embedTokens, placeFeatures } from './embeddings.js'
import type { Grammar } from './grammar.js'
import { type Manifest, readManifest } from './manifest.js'
import { type ProcessedImage, processImage } from './processor.js'
import { promptIds } from './prompt.js'
import { openSessions, type Provider, type Session } from './session.js'
import type { Tokenizer } from './tokenizer.js'
import { encodeTiles, type Features } from './vision.js'

export interface ModelOptions {
  /** Model folder in the Hugging Face layout. */
  dir: string
  /** What the model is used for; told in its `info`. */
  role: 'cropper' | 'target'
  /** Suffix of the graphs (`fp32`, `int8`, ...); null: the folder's own default. */
  precision: string | null
  executionProvider: Provider | 'auto'
  /** Threads of one run; null: one a core. */
  threads: number | null
  /** Whether to read every file once more and compare it with `cropvlm.json`. */
  verifyHashes: boolean
}

export interface GenerateRequest {
  /** In prompt order. */
  images: RawImage[]
  /** All user text after the images. */
  text: string
  /** Longest edge the images are brought to, in pixels; null: the model's own. */
  resolution: number | null
  /** Fewer where the model has no positions left, unless a grammar needs them all. */
  maxNewTokens: number
  /** 0 is greedy. */
  temperature: number
  /** null: free decoding. */
  grammar: Grammar | null
  signal: AbortSignal
}

export interface Generation {
  /** Without special tokens. */
  text: string
  /** The end token included, where one was reached. */
  tokens: number[]
  /** Log-probability under the model of each token; null for forced ones at the end, which need no run. */
  logProbs: (number | null)[]
  /** Which tokens the grammar left a choice for. */
  free: boolean[]
  promptTokens: number
  tiles: number
  resolution: number
  /** Milliseconds. */
  timings: Pick<Timings, 'preprocess' | 'vision' | 'prefill' | 'generate'>
}

/** An Idefics3/SmolVLM model, ready to run. */
export interface Idefics3 {
  readonly info: ModelInfo
  readonly tokenizer: Tokenizer
  readonly executionProvider: Provider
  readonly executionProviderReason: string
  /**
   * Answers one prompt. Throws `unsupported_resolution`, `question_too_long`, and what `signal` was aborted with;
   * the signal is looked at between runs of a graph.
   */
  generate(request: GenerateRequest): Promise<Generation>
  close(): Promise<void>
}

/** Loads a model folder. Throws `invalid_model`, naming the file, or `invalid_config` if CUDA cannot be had. */
export async function loadModel(options: ModelOptions): Promise<Idefics3> {
  const manifest = await readManifest(options)
  const { vision, embed, decoder } = manifest.graphs
  const { executionProvider, threads } = options
  const { sessions, provider, reason } = await openSessions([vision, embed, decoder], executionProvider, threads)
  const [visionSession, embedSession, decoderSession] = sessions as [Session, Session, Session]
  return new OnnxIdefics3(manifest, visionSession, embedSession, decoderSession, provider, reason)
}

class OnnxIdefics3 implements Idefics3 {
  readonly info: ModelInfo
  readonly tokenizer: Tokenizer

  constructor(
    private readonly manifest: Manifest,
    private readonly vision: Session,
    private readonly embed: Session,
    private readonly decoder: Session,
    readonly executionProvider: Provider,
    readonly executionProviderReason: string,
  ) {
    this.info = manifest.info
    this.tokenizer = manifest.prompt.tokenizer
  }

  async generate({ images, text, grammar, temperature, signal, ...request }: GenerateRequest): Promise<Generation> {
    throwIfAborted(signal)
    const resolution = this.checkResolution(request.resolution)
    const clock = stopwatch()

    const processed: ProcessedImage[] = []
    for (const image of images) {
      processed.push(processImage(image, resolution, this.manifest.processor))
      await breathe(signal)
    }
    const prompt = promptIds(
      this.manifest.prompt,
      processed.map(({ grid }) => grid),
      text,
    )
    const { maxPositions } = this.manifest
    const room = maxPositions - prompt.length
    // A free answer may stop early; half of what a grammar describes is no answer at all.
    const least = grammar ? request.maxNewTokens : 1
    if (room < least)
      throw new CropVlmError(
        'question_too_long',
        `Question and images make ${prompt.length} tokens; the model reads at most ${maxPositions - least} of them. Shorten the question or lower the resolution.`,
        { param: 'question' },
      )
    const maxNewTokens = Math.min(request.maxNewTokens, room)
    const preprocess = clock()

    const features = await encodeTiles(this.vision, processed, this.manifest.processor, signal)
    const visionTime = clock()

    let prefill: number | null = null
    const run = startDecoder(this.decoder, prompt.length + maxNewTokens, this.manifest.cache)
    const decoded = await decode({
      grammar,
      eos: this.manifest.eos,
      maxNewTokens,
      temperature,
      random: Math.random,
      signal,
      feed: async tokens => {
        if (prefill !== null) return await this.step(run, tokens)
        const logits = await this.prefill(run, prompt, features, tokens)
        prefill = clock()
        return logits
      },
    })
    return {
      ...decoded,
      text: this.tokenizer.decode(decoded.tokens),
      promptTokens: prompt.length,
      tiles: processed.reduce((sum, { grid }) => sum + grid.tiles, 0),
      resolution,
      timings: { preprocess, vision: visionTime, prefill: prefill ?? 0, generate: clock() },
    }
  }

  async close() {
    for (const session of [this.vision, this.embed, this.decoder]) await session.close()
  }

  private checkResolution(wanted: number | null): number {
    const { resolutions, defaultResolution, id } = this.info
    if (wanted === null || resolutions.includes(wanted)) return wanted ?? defaultResolution
    throw new CropVlmError(
      'unsupported_resolution',
      `Resolution ${wanted} is not supported; ${id} takes ${resolutions.join(', ')}.`,
      { param: 'resolution' },
    )
  }

  private async prefill(run: DecoderRun, prompt: number[], features: Features, forced: readonly number[]) {
    const ids = [...prompt, ...forced]
    const embeds = await embedTokens(this.embed, ids)
    placeFeatures(embeds, ids, features, this.manifest.imageToken)
    return await run.feed(embeds, ids.length, forced.length + 1)
  }

  private async step(run: DecoderRun, tokens: readonly number[]) {
    return await run.feed(await embedTokens(this.embed, tokens), tokens.length, tokens.length)
  }
}

/** Each call gives the milliseconds since the one before. */
function stopwatch(): () => number {
  let last = performance.now()
  return () => {
    const now = performance.now()
    const elapsed = now - last
    last = now
    return elapsed
  }
}
