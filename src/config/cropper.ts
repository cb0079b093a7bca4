/** What finds the boxes, and all that can be set of it. Which cropper the settings mean is decided in `src/cropper/choose.ts`. */
import { Type } from '@sinclair/typebox'
import { Choice, OrNull } from './schema.js'
import { CONCURRENCY, TIMEOUT } from './target/entry.js'
import { EDGE } from './target/profile.js'

/** The values of `CROPPER`. */
export const CROPPER_NAMES = ['onnx', 'openai', 'target', 'attention', 'text'] as const
export type CropperName = (typeof CROPPER_NAMES)[number]

export const CROPPER_VARIABLES = {
  cropper: OrNull(
    Choice(CROPPER_NAMES, {
      env: 'CROPPER',
      description:
        'What finds the box: onnx, the model folder CROPPER_MODEL; openai, the VLM at CROPPER_BASE_URL; target, the default target itself; attention, where a model folder looks that was exported with --attention; text, a rule over the text in the picture. auto takes what is set: CROPPER_BASE_URL, then CROPPER_MODEL, then a default target whose model is known to point, else text.',
    }),
    'auto',
  ),
  cropperModel: OrNull(
    Type.String({
      env: 'CROPPER_MODEL',
      description:
        "Model folder of the cropper, in the layout of the Hugging Face hub (bundled are models/cropvlm-receipts, for scanned receipts, and models/cropvlm-mini, which knows drawn pages alone); with CROPPER_BASE_URL, the endpoint's name of its model.",
    }),
  ),
  cropperBaseUrl: OrNull(
    Type.String({
      env: 'CROPPER_BASE_URL',
      format: 'http-url',
      expected: 'an http or https URL up to and with /v1, like http://localhost:8000/v1',
      description: 'OpenAI-compatible endpoint of a VLM that finds the boxes, up to and with /v1.',
    }),
  ),
  cropperApiKey: OrNull(
    Type.String({ env: 'CROPPER_API_KEY', secret: true, description: 'Bearer token for CROPPER_BASE_URL.' }),
  ),
  cropperApiKeyFile: OrNull(
    Type.String({
      env: 'CROPPER_API_KEY_FILE',
      path: true,
      description: 'A file that holds what CROPPER_API_KEY would.',
    }),
  ),
  cropperBoxes: OrNull(
    Type.String({
      env: 'CROPPER_BOXES',
      description: 'Dialect in which the VLM writes boxes, where the name of its model does not tell.',
    }),
    'auto',
  ),
  cropperEdge: OrNull(
    Type.Integer({
      env: 'CROPPER_EDGE',
      ...EDGE,
      description: 'Longest edge of the picture sent to a VLM that finds the boxes; auto is what its dialect needs.',
    }),
    'auto',
  ),
  cropperExpand: Type.String({
    env: 'CROPPER_EXPAND',
    default: 'dialect',
    pattern: '^(dialect|none|table3|[1-9][0-9]?([.][0-9]{1,4})?|100)$',
    expected: 'dialect, none, table3 or a factor from 1 to 100',
    description:
      "Growth of the area of a box that a VLM wrote: none, a factor, or table3 (the paper's growth of seed boxes); dialect is what suits the dialect.",
  }),
  cropperGuided: Choice(['off', 'vllm'], {
    env: 'CROPPER_GUIDED',
    default: 'off',
    description: "vllm sends the grammar of the dialect's boxes along, as vLLM's structured outputs.",
  }),
  cropperTimeoutMs: Type.Integer({
    env: 'CROPPER_TIMEOUT_MS',
    default: 30_000,
    ...TIMEOUT,
    description: 'How long one call of a VLM that finds the boxes may take.',
  }),
  cropperConcurrency: Type.Integer({
    env: 'CROPPER_CONCURRENCY',
    default: 8,
    ...CONCURRENCY,
    description: 'Calls in flight at most to a VLM that finds the boxes; more wait.',
  }),
}
