/**
 * The target VLMs, from `TARGETS` (JSON), `TARGETS_FILE` (the same, in a file) or the single `TARGET_*` variables; with none
 * of them, the model folder LOCAL_TARGET_MODEL, and without that the text reader. What an entry of the JSON leaves out is
 * taken from the `TARGET_*` variables and their defaults.
 */
import { resolve } from 'node:path'
import { Type } from '@sinclair/typebox'
import { endpointKey } from '../access/keys.js'
import { readBoundedSync, UnfitFile } from '../bounded-file.js'
import { OrNull } from '../schema.js'
import { type Env, type Settings, variableReader } from '../variables.js'
import { CONCURRENCY, fromEntry, isLocal, READER, type TargetConfig, TIMEOUT } from './entry.js'
import { PROFILE_VARIABLES } from './profile.js'

export const TARGET_VARIABLES = {
  baseUrl: OrNull(
    Type.String({
      env: 'TARGET_BASE_URL',
      description:
        'OpenAI-compatible endpoint that answers, up to and with /v1 (vLLM, SGLang, Ollama, llama.cpp, OpenAI).',
    }),
  ),
  model: OrNull(
    Type.String({
      env: 'TARGET_MODEL',
      description:
        'Name of the model at TARGET_BASE_URL; or local:<model folder>, or local:text (the text reader), run by this service.',
    }),
  ),
  apiKey: OrNull(
    Type.String({ env: 'TARGET_API_KEY', secret: true, description: 'Bearer token for TARGET_BASE_URL.' }),
  ),
  apiKeyFile: OrNull(
    Type.String({
      env: 'TARGET_API_KEY_FILE',
      path: true,
      description: 'A file that holds what TARGET_API_KEY would.',
    }),
  ),
  targets: OrNull(
    Type.String({
      env: 'TARGETS',
      secret: true,
      description: 'Several targets, as a JSON array; the first is the default.',
    }),
  ),
  targetsFile: OrNull(Type.String({ env: 'TARGETS_FILE', description: 'A file that holds what TARGETS would.' })),
  timeoutMs: Type.Integer({
    env: 'TARGET_TIMEOUT_MS',
    default: 30_000,
    ...TIMEOUT,
    description:
      'How long one call of a target may take; under /v1, how long it may be silent between two bytes of its reply.',
  }),
  concurrency: Type.Integer({
    env: 'TARGET_CONCURRENCY',
    default: 8,
    ...CONCURRENCY,
    description: 'Calls in flight to one target at most; more wait.',
  }),
  ...PROFILE_VARIABLES,
  localModel: OrNull(
    Type.String({
      env: 'LOCAL_TARGET_MODEL',
      path: 'model',
      description:
        'Model folder of the local target that answers where no other target is configured (models/smolvlm-mini is bundled, and knows synthetic pages only); unset: the text reader answers, with a line of the picture.',
    }),
  ),
}

/** Of TARGETS_FILE: thousands of targets. */
const MAX_FILE_BYTES = 1024 * 1024

type TargetSettings = Settings<typeof TARGET_VARIABLES>

const readSettings = variableReader(TARGET_VARIABLES)

/**
 * The configured targets, frozen. What is wrong is added to `problems`, and its target left out; what an operator should
 * know is added to `warnings`.
 */
export function readTargets(env: Env, problems: string[], warnings: string[]): TargetConfig[] {
  const settings = readSettings(env, problems)
  // a wrong variable has been reported already, and what depends on it cannot be judged
  if (!isComplete(settings)) return []
  const { baseUrl, model, targets, targetsFile } = settings
  const apiKey = endpointKey('TARGET_API_KEY', settings.apiKey, settings.apiKeyFile, problems, warnings)
  const ways = Object.entries({ TARGETS: targets, TARGETS_FILE: targetsFile, TARGET_BASE_URL: baseUrl })
  const used = ways.filter(([, value]) => value !== null).map(([name]) => name)
  if (used.length > 1) {
    problems.push(`${used.join(' and ')} are set together, but each of them names the targets; keep one.`)
    return []
  }
  if (targets !== null) return fromJson('TARGETS', targets, settings, env, problems)
  if (targetsFile !== null) return fromFile(targetsFile, settings, env, problems)
  if (baseUrl === null && model === null && apiKey !== null)
    problems.push(
      'TARGET_API_KEY is set, but not TARGET_BASE_URL and TARGET_MODEL, which say what it is for; set them too.',
    )
  const isUnset = baseUrl === null && model === null
  const local = settings.localModel === null ? READER : `local:${settings.localModel}`
  const entry = isUnset
    ? { base_url: null, model: local, api_key: null }
    : { base_url: baseUrl, model, api_key: apiKey }
  const single = { ...entry, name: isLocal(entry.model) ? 'local' : 'default' }
  const labels: Record<string, string> = {
    base_url: 'TARGET_BASE_URL',
    model: 'TARGET_MODEL',
    api_key: 'TARGET_API_KEY',
  }
  return fromEntry(single, { label: (key = 'model') => labels[key] ?? key, settings, env, problems })
}

function isComplete(settings: Partial<TargetSettings>): settings is TargetSettings {
  return Object.keys(TARGET_VARIABLES).every(name => name in settings)
}

function fromFile(file: string, settings: TargetSettings, env: Env, problems: string[]): TargetConfig[] {
  try {
    return fromJson('TARGETS_FILE', readBoundedSync(resolve(file), MAX_FILE_BYTES).toString(), settings, env, problems)
  } catch (error) {
    const { code = 'unreadable', message } = error as NodeJS.ErrnoException
    const reason = error instanceof UnfitFile ? `it ${message}` : code
    problems.push(`TARGETS_FILE is "${file}", which cannot be read (${reason}); give the path of a JSON file.`)
    return []
  }
}

function fromJson(
  source: string,
  json: string,
  settings: TargetSettings,
  env: Env,
  problems: string[],
): TargetConfig[] {
  const entries = parseArray(json)
  if (!entries) {
    // the text itself is not shown: it may hold keys
    problems.push(
      `${source} must be a JSON array of one target or more, like [{"name": "qwen", "base_url": "http://localhost:8000/v1", "model": "..."}].`,
    )
    return []
  }
  const targets = entries.flatMap((entry, index) =>
    fromEntry(entry, { label: key => `${source}[${index}]${key ? `.${key}` : ''}`, settings, env, problems }),
  )
  const names = targets.map(({ name }) => name)
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index)))
    problems.push(`${source} has more than one target named "${name}"; give each its own name.`)
  return targets
}

function parseArray(json: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(json)
    return Array.isArray(value) && value.length > 0 ? value : null
  } catch {
    return null
  }
}
