import { env, InferenceSession, Tensor } from 'onnxruntime-node'
import { CropVlmError } from '../../errors.js'
import { noStep, type OnStep } from '../on-step.js'
import { checkGraph } from './check/check.js'
import { fromHalf, halfWords, toHalf } from './half.js'
import { cachedGraph, type GraphCache } from './optimised/cache.js'
import { PROVIDER_NAMES, PROVIDERS, type ProviderChoice, type ProviderName } from './providers.js'

// ONNX Runtime throws its errors as well; the lines that it would write to the log itself have no level.
env.logLevel = 'fatal'

/** One input or output of a graph. Halves are `Uint16Array`s, of 16-bit words. */
export interface TensorValue {
  data: Float32Array | Uint16Array | BigInt64Array | Uint8Array
  dims: readonly number[]
}

/**
 * What a graph declares of an input: element type (`float32`, `float16`, `int64`, `bool`) and shape; a size that is
 * free has a name.
 */
export interface TensorSpec {
  type: string
  shape: readonly (number | string)[]
}

/** One loaded graph. Tests replace it by a scripted one. */
export interface Session {
  readonly inputs: ReadonlyMap<string, TensorSpec>
  /**
   * Runs the graph; runs of one thread never overlap. 32-bit floats are converted to halves if the graph takes these.
   * @param wanted Names of the outputs to return, each of which is copied out of the graph; all of them by default.
   */
  run(feeds: Record<string, TensorValue>, wanted?: readonly string[]): Promise<Record<string, TensorValue>>
  close(): Promise<void>
}

interface OpenedSessions {
  sessions: Session[]
  provider: ProviderName
  /** Why that provider: the operator's choice, or what `auto` found. */
  reason: string
}

/**
 * Opens graphs, all on one execution provider. `auto` takes an accelerator if one can be had, otherwise the CPU.
 * @param files Paths of the graphs: the same for each provider, or one list for each.
 * @param threads Threads of one run; null: ONNX Runtime's choice, one a core.
 * @param cache Where optimised graphs are kept, for a provider that keeps them; null: nowhere.
 * @param onStep Told of what is done with each graph.
 * @param fewShapes Those of the files whose inputs have few shapes, all together. ONNX Runtime plans the memory of a run for
 * each set of shapes, and keeps every plan: runs of shapes that come again are faster by it, the text detector's most, but
 * where no two are alike the plans are of no use, and stay. Of other graphs it plans nothing.
 * @throws CropVlmError invalid_config if the provider that was asked for cannot be had; invalid_model, naming the file,
 * if no provider can load it
 */
export async function openSessions(
  files: readonly string[] | Readonly<Record<ProviderName, readonly string[]>>,
  wanted: ProviderChoice,
  threads: number | null,
  cache: GraphCache | null = null,
  onStep: OnStep = noStep,
  fewShapes: readonly string[] = [],
): Promise<OpenedSessions> {
  const openOn = (provider: ProviderName) => {
    const paths = 'length' in files ? files : files[provider]
    return openAll(paths, file =>
      openGraph(file, { provider, threads, keepsPlans: fewShapes.includes(file) }, cache, onStep),
    )
  }
  if (wanted === 'cpu') return { sessions: await openOn('cpu'), provider: 'cpu', reason: 'EXECUTION_PROVIDER=cpu' }

  const accelerators = PROVIDER_NAMES.filter(name => name !== 'cpu').reverse()
  const failures: { name: ProviderName; problem: string; cause: unknown }[] = []
  for (const name of accelerators.filter(name => wanted === 'auto' || name === wanted)) {
    const { label } = PROVIDERS[name]
    const reason = wanted === 'auto' ? `auto: the ${label} provider loaded` : `EXECUTION_PROVIDER=${name}`
    try {
      return { sessions: await openOn(name), provider: name, reason }
    } catch (cause) {
      const why = firstLine((cause as CropVlmError).cause ?? cause)
      failures.push({ name, problem: `${label} cannot be had (${why})`, cause })
    }
  }
  // A broken graph fails on the CPU too; then that error, which names the file, is the one that is thrown.
  const sessions = await openOn('cpu')
  const problems = failures.map(({ problem }) => problem).join('; ')
  if (wanted === 'auto') return { sessions, provider: 'cpu', reason: `auto: ${problems}` }
  await Promise.all(sessions.map(session => session.close()))
  const { remedy } = PROVIDERS[wanted]
  throw new CropVlmError(
    'invalid_config',
    `EXECUTION_PROVIDER=${wanted}, but ${problems}. ${remedy === null ? 'Set' : `${remedy}, or set`} EXECUTION_PROVIDER=auto.`,
    { cause: failures[0]?.cause },
  )
}

/**
 * Optimises a graph for this CPU.
 * @param graph Path that the optimised graph is written to.
 * @param data Name of the file beside it that takes the weights, both as they are in `file` and as the kernels repack
 * them. Throws ONNX Runtime's error.
 */
export async function saveOptimised(file: string, graph: string, data: string): Promise<void> {
  await InferenceSession.create(file, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    optimizedModelFilePath: graph,
    intraOpNumThreads: 1,
    extra: {
      session: {
        optimized_model_external_initializers_file_name: data,
        // smaller ones may be shapes, which have to be in the graph
        optimized_model_external_initializers_min_size_in_bytes: '1024',
        save_external_prepacked_constant_initializers: '1',
      },
    },
  })
}

async function openAll(files: readonly string[], openOne: (file: string) => Promise<Session>): Promise<Session[]> {
  const sessions: Session[] = []
  for (const file of files) sessions.push(await openOne(file))
  return sessions
}

interface SessionSettings {
  provider: ProviderName
  threads: number | null
  /** Whether a plan of the memory is kept for each set of input shapes. */
  keepsPlans: boolean
}

/** Opens one graph: its optimised form, if the provider keeps such, otherwise the graph as it is. */
async function openGraph(
  file: string,
  settings: SessionSettings,
  cache: GraphCache | null,
  onStep: OnStep,
): Promise<Session> {
  onStep('checking', file)
  check(file)
  const cached =
    cache &&
    PROVIDERS[settings.provider].keepsOptimisedGraphs &&
    (await cachedGraph(file, cache, env.versions.common, onStep))
  onStep('opening', file)
  if (!cached) return createSession(file, settings)
  try {
    // optimised once more it might lose what was saved with it
    return await createSession(cached, settings, 'disabled')
  } catch (error) {
    const session = await createSession(file, settings)
    cache.log('warn', `${file} is loaded as it is: its optimised form fails (${(error as Error).message})`)
    return session
  }
}

/** @throws CropVlmError invalid_model */
function check(file: string): void {
  try {
    checkGraph(file)
  } catch (cause) {
    throw cause instanceof CropVlmError ? cause : notLoaded(file, cause)
  }
}

function notLoaded(file: string, cause: unknown): CropVlmError {
  return new CropVlmError('invalid_model', `${file} cannot be loaded as an ONNX graph (${firstLine(cause)}).`, {
    cause,
  })
}

async function createSession(
  file: string,
  { provider, threads, keepsPlans }: SessionSettings,
  level: 'all' | 'disabled' = 'all',
): Promise<Session> {
  const { ortProviders, sessionOptions } = PROVIDERS[provider]
  try {
    const session = await InferenceSession.create(file, {
      executionProviders: ortProviders,
      graphOptimizationLevel: level,
      ...sessionOptions,
      ...(threads === null ? {} : { intraOpNumThreads: threads }),
      enableMemPattern: keepsPlans,
      // Waiting threads spin between the nodes of a run, which saves a quarter of a token's time, but not after the
      // run: they would take the cores from the other graphs and from the process that serves HTTP.
      extra: { session: { intra_op: { allow_spinning: '1' }, force_spinning_stop: '1' } },
    })
    return new OnnxSession(session)
  } catch (cause) {
    throw notLoaded(file, cause)
  }
}

class OnnxSession implements Session {
  readonly inputs: ReadonlyMap<string, TensorSpec>

  constructor(private readonly session: InferenceSession) {
    this.inputs = specs(session.inputMetadata)
  }

  async run(feeds: Record<string, TensorValue>, wanted?: readonly string[]) {
    const inputs: Record<string, Tensor> = {}
    for (const [name, spec] of this.inputs) {
      const value = feeds[name]
      if (!value) throw new Error(`the graph's input ${name} was not fed`)
      inputs[name] = tensor(value, spec)
    }
    const results = await (wanted ? this.session.run(inputs, wanted) : this.session.run(inputs))
    return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, value(result)]))
  }

  async close() {
    await this.session.release()
  }
}

function value({ type, data, dims }: Tensor): TensorValue {
  return { data: type === 'float16' ? halfWords(data as Uint16Array) : (data as TensorValue['data']), dims }
}

/** The values of a `float32` or `float16` output. */
export function floats({ data }: TensorValue): Float32Array {
  return data instanceof Float32Array ? data : fromHalf(data as Uint16Array)
}

function tensor({ data, dims }: TensorValue, { type }: TensorSpec): Tensor {
  const fitting = type === 'float16' && data instanceof Float32Array ? toHalf(data) : data
  return new Tensor(type as Tensor.Type, fitting as Tensor.DataType, dims)
}

function specs(metadata: readonly InferenceSession.ValueMetadata[]): ReadonlyMap<string, TensorSpec> {
  return new Map(
    metadata.flatMap(value => (value.isTensor ? [[value.name, { type: value.type, shape: value.shape }]] : [])),
  )
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}
