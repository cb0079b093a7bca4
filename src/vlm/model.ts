import { type AttentionRequest, attendAll, type ImageAttention } from './attention/attend.js'
import { PrefixCache } from './decoding/prefix-cache.js'
import { type Manifest, type ManifestOptions, readManifests } from './folder/manifest.js'
import { generateAll } from './generate.js'
import type { Graphs } from './graphs.js'
import type { ModelInfo } from './model-info.js'
import type { GraphCache } from './onnx/optimised/cache.js'
import { byProvider, PROVIDERS, type ProviderChoice, type ProviderName } from './onnx/providers.js'
import { openSessions, type Session } from './onnx/session.js'
import type { GenerateRequest, Generation } from './request.js'
import { TokenEmbeddings } from './tokens/embeddings.js'
import type { Tokenizer } from './tokens/tokenizer.js'

export interface ModelOptions extends ManifestOptions {
  executionProvider: ProviderChoice
  /** Threads of one run; null: one a core. */
  threads: number | null
  /** Where graphs optimised for the CPU are kept; null: nowhere. */
  graphCache: GraphCache | null
  /** Most bytes kept of images that were asked about before; 0 keeps none. */
  prefixCacheBytes: number
}

/** A vision-language model, ready to run: it answers a prompt of images and text with text. */
export interface VisionLanguageModel {
  readonly info: ModelInfo
  readonly tokenizer: Tokenizer
  readonly executionProvider: ProviderName
  /** Why that provider: the operator's choice, or what `auto` found. */
  readonly executionProviderReason: string
  /**
   * Answers requests, several at once if that is faster. The answers are the same as one by one.
   * @returns the outcomes, in the order of the requests. A request fails by itself, with a CropVlmError
   * unsupported_resolution, question_too_long or request_aborted (or the reason that its signal was aborted with;
   * signals are checked between runs of a graph), or with whatever opening one of its images throws.
   */
  generateAll(requests: readonly GenerateRequest[]): Promise<PromiseSettledResult<Generation>[]>
  /** Whether the model can tell where it looks: `attendAll`. */
  readonly attends: boolean
  /**
   * Where the model looks in images that it is asked about, in the order of the requests. Each fails by itself, with
   * the errors of `generateAll`, or with invalid_model where the folder was exported without attention.
   */
  attendAll(requests: readonly AttentionRequest[]): Promise<PromiseSettledResult<ImageAttention>[]>
  /** Answers one request. @throws CropVlmError as `generateAll` says */
  generate(request: GenerateRequest): Promise<Generation>
}

/**
 * Loads a model folder. There is no way to unload a model: ONNX Runtime leaks memory when sessions are released, so a
 * process keeps its models until it ends.
 * @throws CropVlmError invalid_model, naming the file; invalid_config if the execution provider cannot be had
 */
export async function loadModel(options: ModelOptions): Promise<VisionLanguageModel> {
  const manifests = await readManifests(options)
  const files = byProvider(provider => {
    const { vision, embed, decoder } = manifests[provider].graphs
    return [vision, embed, decoder]
  })
  const { executionProvider, threads, graphCache } = options
  const { sessions, provider, reason } = await openSessions(
    files,
    executionProvider,
    threads,
    graphCache,
    options.onStep,
    // tiles have one size, and few come at once; no two prompts need be equally long
    Object.values(manifests).map(({ graphs }) => graphs.vision),
  )
  const [vision, embed, decoder] = sessions as [Session, Session, Session]
  const graphs = { vision, embed: new TokenEmbeddings(embed), decoder }
  return new OnnxModel(manifests[provider], graphs, provider, reason, new PrefixCache(options.prefixCacheBytes))
}

class OnnxModel implements VisionLanguageModel {
  readonly info: ModelInfo
  readonly tokenizer: Tokenizer

  constructor(
    private readonly manifest: Manifest,
    private readonly graphs: Graphs,
    readonly executionProvider: ProviderName,
    readonly executionProviderReason: string,
    private readonly cache: PrefixCache,
  ) {
    this.info = manifest.info
    this.tokenizer = manifest.family.tokenizer
  }

  get attends() {
    return this.manifest.attention !== null
  }

  async generateAll(requests: readonly GenerateRequest[]) {
    return await generateAll(requests, this.context)
  }

  async attendAll(requests: readonly AttentionRequest[]) {
    return await attendAll(requests, this.context)
  }

  private get context() {
    const { pixelsPerRun } = PROVIDERS[this.executionProvider]
    return { manifest: this.manifest, cache: this.cache, pixelsPerRun, ...this.graphs }
  }

  async generate(request: GenerateRequest) {
    const [outcome] = await this.generateAll([request])
    if (outcome?.status === 'fulfilled') return outcome.value
    throw outcome?.reason
  }
}
