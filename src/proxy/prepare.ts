/** What is to be done with a chat request, before it is done: which target it is for, and how its bytes change. */

import type { ProxyZoom } from '../config/proxy.js'
import type { Config, TargetConfig } from '../config/service.js'
import type { Patience } from '../engine/engine.js'
import type { Target } from '../target/target.js'
import { type ChatBody, OPTIONS_FIELD, readChat, type Turn } from './chat/conversation.js'
import type { PlacedCrop } from './chat/crop-parts.js'
import type { CropFinder } from './crop/find-crop.js'
import { cutMembers, type Edit } from './json/edit.js'
import { parseAt, UnreadableJsonError, wholeValue } from './json/scan.js'
import { zoomOptions } from './options.js'
import { targetOf } from './upstream/upstream.js'
import { skipped, type Verdict } from './verdict.js'
import { zoomBody } from './zoom-body.js'

export interface Parts {
  config: Config
  targets: ReadonlyMap<string, Target>
  finder: CropFinder
}

export interface Prepared {
  target: TargetConfig
  /** The edit that gives the endpoint its own name of the model, where the request gives ours. */
  renaming: Edit[]
  /** What puts the crops in and takes our options out. */
  edits: Edit[]
  verdict: Verdict
  /** null where the body is no JSON. */
  chat: ChatBody | null
  crops: ReadonlyMap<Turn, readonly PlacedCrop[]>
}

/**
 * @param header What the request's header says of the zoom, or null.
 * @param client `signal` is aborted when the client has gone.
 * @throws CropVlmError invalid_option, unknown_option, request_aborted
 */
export async function prepare(
  { config, targets, finder }: Parts,
  json: Buffer,
  header: ProxyZoom | null,
  client: Omit<Patience, 'deadline'>,
): Promise<Prepared> {
  const chat = readable(json, config.zoomNote)
  if (!chat) return untouched(config.targets[0], skipped('not_json'))
  const { target, byName } = targetOf(config.targets, chat.model?.text ?? null)
  const options = zoomOptions(header, chat.options && parseAt(json, chat.options), config)
  const zoomed = await zoomBody(
    finder,
    { json, chat, options, target: targetObject(targets, target), ...client },
    config,
  )
  return {
    target,
    renaming: renaming(target, byName, chat),
    edits: [...cutMembers(json, chat.root, OPTIONS_FIELD), ...zoomed.edits],
    verdict: zoomed.verdict,
    chat,
    crops: zoomed.crops,
  }
}

/** Of a request whose body is not looked at. */
export function untouched(target: TargetConfig, verdict: Verdict): Prepared {
  return { target, renaming: [], edits: [], verdict, chat: null, crops: new Map() }
}

function readable(json: Buffer, note: string | null): ChatBody | null {
  try {
    return readChat(json, wholeValue(json), note)
  } catch (error) {
    if (error instanceof UnreadableJsonError) return null
    throw error
  }
}

function renaming(target: TargetConfig, byName: boolean, { model }: ChatBody): Edit[] {
  return target.kind === 'openai' && byName && model ? [{ ...model.span, text: JSON.stringify(target.model) }] : []
}

/** A target by its configuration. */
export function targetObject(targets: ReadonlyMap<string, Target>, { name }: TargetConfig): Target {
  const target = targets.get(name)
  if (!target) throw new Error(`there is no target ${name}`)
  return target
}
