/** An upstream: which one a request goes to, and at which address. */
import type { OpenAiTargetConfig, TargetConfig } from '../../config/service.js'
import { CropVlmError } from '../../errors.js'

/** What the proxy needs of a target that is an endpoint. */
export type Upstream = Pick<OpenAiTargetConfig, 'name' | 'model' | 'baseUrl' | 'apiKey' | 'timeoutMs'> & {
  /** The query that each call has; empty or left out: none. */
  readonly query?: string
  /** Headers that each call has. */
  readonly headers?: Readonly<Record<string, string>>
}

/** The target that a request's `model` names: by its own name, or by its model's; else the default, the first. */
export function targetOf(
  targets: readonly [TargetConfig, ...TargetConfig[]],
  model: string | null,
): { target: TargetConfig; byName: boolean } {
  const named = targets.find(({ name }) => name === model)
  // an endpoint that calls its model as the target is called needs no other name
  if (named) return { target: named, byName: named.kind !== 'openai' || named.model !== model }
  const served = targets.find(target => target.kind === 'openai' && target.model === model)
  return { target: served ?? targets[0], byName: false }
}

/**
 * The address of a path of ours at an upstream: what follows `/v1` is appended to its base.
 * @param path Path and query as they came, from `/v1` on.
 * @throws CropVlmError not_found where the path would leave the upstream's base
 */
export function upstreamUrl({ baseUrl, query = '' }: Upstream, path: string): URL {
  const base = new URL(baseUrl)
  const [before = '', given] = split(path.replace(/^\/v1(?=\/|\?|$)/, ''))
  const basePath = base.pathname.replace(/\/+$/, '')
  const url = new URL(base.origin + basePath + before)
  if (url.origin !== base.origin || !`${url.pathname}/`.startsWith(`${basePath}/`))
    throw new CropVlmError('not_found', 'There is nothing at this path: it leads out of /v1.')
  url.search = [query, base.search.slice(1), given].filter(Boolean).join('&')
  return url
}

function split(path: string): [string, string?] {
  const at = path.indexOf('?')
  return at < 0 ? [path] : [path.slice(0, at), path.slice(at + 1)]
}
