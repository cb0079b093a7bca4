/** A cropper that asks a VLM behind an OpenAI-compatible endpoint: any model that can point, in its own dialect. */
import { FULL_BOX, type Size } from '../../contract/box.js'
import type { Engine } from '../../engine/engine.js'
import type { RenderResult } from '../../engine/protocol.js'
import type { Picture } from '../../image/picture.js'
import type { Guard } from '../../openai/chat-client.js'
import { imagePart } from '../../openai/image-part.js'
import type { Cropper, FindRequest, Found } from '../cropper.js'
import { findByImage, type ImageGroup } from '../same-image.js'
import { type Answer, type Ask, asker, cropperClient } from './ask.js'
import { confidenceOf } from './confidence.js'
import { placeBox } from './place.js'
import type { RemoteCropperSettings } from './settings.js'

/** Most characters of an answer that are passed on as `raw`. */
const MAX_RAW = 4000

interface Parts {
  settings: RemoteCropperSettings
  engine: Engine
  ask: Ask
}

export function remoteCropper(engine: Engine, settings: RemoteCropperSettings, guard?: Guard): Cropper {
  const { name, model, dialect } = settings
  const client = cropperClient(settings, guard)
  const parts = { settings, engine, ask: asker(settings, client) }
  return {
    get info() {
      const { breaker } = client
      const told = { name, resolutions: null, warnings: [], model, dialect: dialect.name }
      return { ...told, ...(breaker ? { breaker } : {}) }
    },
    find: requests => findByImage(requests, group => findGroup(parts, group)),
  }
}

/** Questions about one image: one picture for all, and a call for each. */
async function findGroup(parts: Parts, group: Readonly<ImageGroup>): Promise<PromiseSettledResult<Found>[]> {
  const rendered = await render(parts, group[0])
  const start = performance.now()
  const picture = imagePart(rendered.picture)
  const answers = await Promise.allSettled(group.map(request => parts.ask(picture, request.question, request)))
  // one object for all, so that it counts once
  const timings = { ...rendered.timings, generate: performance.now() - start }
  return answers.map(outcome =>
    outcome.status === 'rejected'
      ? outcome
      : { status: 'fulfilled', value: { ...found(parts, outcome.value, rendered), timings } },
  )
}

interface Rendered {
  image: Size
  picture: Picture
  timings: Found['timings']
}

/** The picture that the model is sent. A request's resolution is its longest edge. */
async function render({ engine, settings }: Parts, request: FindRequest): Promise<Rendered> {
  const { image, resolution, keepPixels, signal, deadline, span } = request
  const { dialect } = settings
  const { grid, longestEdge } = dialect.picture
  const picture = {
    show: 'whole' as const,
    region: FULL_BOX,
    packing: 'fast' as const,
    format: 'jpeg' as const,
    quality: 90,
    longestEdge: resolution ?? settings.longestEdge ?? longestEdge,
    ...(grid ? { grid } : {}),
    square: dialect.frame === 'square',
  }
  const result: RenderResult = await engine.run(
    { kind: 'render', image, pictures: [picture], keepPixels },
    { signal, deadline, span },
  )
  const { queue, decode, crop } = result.timings
  return {
    image: result.image,
    picture: result.pictures[0] as Picture,
    timings: { queue, decode, preprocess: crop },
  }
}

function found({ settings }: Parts, answer: Answer, sizes: Rendered): Omit<Found, 'timings'> {
  const { dialect, growth, model } = settings
  const { image, picture } = sizes
  const text = dialect.read(answer)
  const placed = text ? placeBox(text, dialect, growth, sizes) : { problem: 'no_box' as const }
  const shared = {
    raw: [answer.text, ...answer.toolCalls].filter(Boolean).join('\n').slice(0, MAX_RAW),
    image,
    model: { id: model, resolution: Math.max(picture.width, picture.height), tiles: null },
    usage: answer.usage,
  }
  if ('problem' in placed)
    return { box: FULL_BOX, decision: 'fallback', reason: placed.problem, confidence: null, ...shared }
  const confidence = text ? confidenceOf(answer.text, text.spans, answer.logprobs) : null
  return { box: placed.box, decision: 'zoomed', reason: null, confidence, ...shared }
}
