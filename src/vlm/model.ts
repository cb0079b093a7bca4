import type { ModelInfo } from '../engine/protocol.js'
import { PrefixCache } from './decoding/prefix-cache.js'
import { type Manifest, readManifests } from './folder/manifest.js'
import { answerAll } from './generate.js'
import { PIXELS_PER_RUN } from './idefics3/vision-encoder.js'
import type { GraphCache } from './onnx/optimised/cache.js'
import { openSessions, type Provider, type Session } from './onnx/session.js'
import type { GenerateRequest, Generation } from './request.js'
import { TokenEmbeddings } from './tokens/embeddings.js'
import type { Tokenizer } from './tokens/tokenizer.js'

export interface ModelOptions {
  /** Model folder in the Hugging Face layout. */
  dir: string
  /** What the model is used for; told in its `info`. */
  role: 'cropper' | 'target'
  /** Suffix of the graphs (`fp32`, `int8`, ...); null: the best for the provider (see `precision.ts`). */
  precision: string | null
  executionProvider: Provider | 'auto'
  /** Threads of one run; null: one a core. */
  threads: number | null
  /** Whether to read every file once more and compare it with `cropvlm.json`. */
  verifyHashes: boolean
  /** Where graphs optimised for the CPU are kept; null: nowhere. */
  graphCache: GraphCache | null
  /** Most bytes kept of images asked about before; 0 keeps none. */
  prefixCacheBytes: number
}

/** An Idefics3/SmolVLM model, ready to run. */
export interface Idefics3 {
  readonly info: ModelInfo
  readonly tokenizer: Tokenizer
  readonly executionProvider: Provider
  readonly executionProviderReason: string
  /**
   * Answers prompts, together where that is faster; each answer is what it would be alone. Each outcome stands by
   * itself: `unsupported_resolution`, `question_too_long`, what reading its images throws, and what its signal was
   * aborted with; signals are looked at between runs of a graph.
   */
  generateAll(requests: readonly GenerateRequest[]): Promise<PromiseSettledResult<Generation>[]>
  /** Answers one prompt; throws as above. */
  generate(request: GenerateRequest): Promise<Generation>
  close(): Promise<void>
}

/** Loads a model folder. Throws `invalid_model`, naming the file, or `invalid_config` if CUDA cannot be had. */
export async function loadModel(options: ModelOptions): Promise<Idefics3> {
  const manifests = await readManifests(options)
  const files = ({ graphs: { vision, embed, decoder } }: Manifest) => [vision, embed, decoder]
  const { executionProvider, threads, graphCache } = options
  const { sessions, provider, reason } = await openSessions(
    { cpu: files(manifests.cpu), cuda: files(manifests.cuda) },
    executionProvider,
    threads,
    graphCache,
  )
  const [visionSession, embedSession, decoderSession] = sessions as [Session, Session, Session]
  const graphs = { vision: visionSession, embed: new TokenEmbeddings(embedSession), decoder: decoderSession }
  return new OnnxIdefics3(manifests[provider], graphs, provider, reason, new PrefixCache(options.prefixCacheBytes))
}

/** The three graphs of a model. */
export interface Graphs {
  vision: Session
  embed: TokenEmbeddings
  decoder: Session
}

class OnnxIdefics3 implements Idefics3 {
  readonly info: ModelInfo
  readonly tokenizer: Tokenizer

  constructor(
    private readonly manifest: Manifest,
    private readonly graphs: Graphs,
    readonly executionProvider: Provider,
    readonly executionProviderReason: string,
    private readonly cache: PrefixCache,
  ) {
    this.info = manifest.info
    this.tokenizer = manifest.prompt.tokenizer
  }

  async generateAll(requests: readonly GenerateRequest[]) {
    return await answerAll(requests, {
      manifest: this.manifest,
      cache: this.cache,
      pixelsPerRun: PIXELS_PER_RUN[this.executionProvider],
      ...this.graphs,
    })
  }

  async generate(request: GenerateRequest) {
    const [outcome] = await this.generateAll([request])
    if (outcome?.status === 'fulfilled') return outcome.value
    throw outcome?.reason
  }

  async close() {
    for (const graph of Object.values(this.graphs)) await graph.close()
  }
}
