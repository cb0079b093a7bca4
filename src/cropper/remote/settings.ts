import type { Endpoint } from '../../openai/chat-client.js'
import type { Dialect } from '../dialects/dialect.js'
import type { Growth } from '../dialects/growth.js'

/** Everything that can be set of a cropper behind an OpenAI-compatible endpoint. */
export interface RemoteCropperSettings extends Endpoint {
  /** `target`: the endpoint is the default target's own. */
  readonly name: 'openai' | 'target'
  /** The endpoint's name of the model. */
  readonly model: string
  readonly dialect: Dialect
  /** Longest edge of the picture sent, in pixels; null: the dialect's. */
  readonly longestEdge: number | null
  /** How much larger than the model's box the region is to be; not always the dialect's own growth. */
  readonly growth: Growth
  /** Whether the grammar of the dialect's boxes goes along as vLLM's structured outputs. */
  readonly guided: 'off' | 'vllm'
}
