/**
 * What a family of VLMs is shown and told as a target. Each value is only where nothing else is configured. A new family
 * is a name and a row.
 */
import { FAMILIES } from '../openai/families.js'
import { REASONING_TOKENS } from '../openai/request/forms.js'

/** The values of `TARGET_PROFILE`. */
export const PROFILE_NAMES = [
  'qwen2.5-vl',
  'qwen3-vl',
  'llava-1.5',
  'gpt-4.1',
  'gpt-5',
  'gemini',
  'internvl',
  'smolvlm',
  'gemma',
  'paper',
  'plain',
] as const
export type ProfileName = (typeof PROFILE_NAMES)[number]

export interface Profile {
  /** Longest edge in pixels of the full image and of the crop as they are sent; null: not changed. */
  readonly fullEdge: number | null
  readonly cropEdge: number | null
  /** At most how many times a small crop is enlarged to `cropEdge`. */
  readonly cropEnlarge: number
  /** Least pixels of either side of a picture. */
  readonly minSide: number
  /** What follows the pictures, the question in place of `{question}`; null: the paper's text, as in the contract. */
  readonly prompt: string | null
  /** The message before the user's; null: none. */
  readonly system: string | null
  /** The name that the API has for the most tokens of an answer. */
  readonly tokensField: 'max_tokens' | 'max_completion_tokens'
  /** Whether it takes a temperature. */
  readonly takesTemperature: boolean
  /** Tokens that it may think with, which count as tokens of the answer. */
  readonly reasoningTokens: number
}

/** Most times that one side of a picture may be as long as the other: more is an error for Qwen's image processors. */
export const MAX_ASPECT = 200

const BRIEF = '{question}\nGive a very brief answer.'
/** The words that LLaVA-1.5 was trained with for short answers; InternVL's authors evaluate with them. */
const ONE_PHRASE = '{question}\nAnswer the question using a single word or phrase.'

const PLAIN: Profile = {
  // between what the families below see; two pictures are at most about 3,000 tokens for most VLMs
  fullEdge: 1024,
  cropEdge: 1024,
  cropEnlarge: 8,
  // enough for every family, so for one that is not known too
  minSide: 32,
  prompt: BRIEF,
  system: null,
  tokensField: 'max_tokens',
  takesTemperature: true,
  reasoningTokens: 0,
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  // A token for each 28x28 pixels, 16,384 at most; both pictures together fit into the 4,096 tokens of Ollama's default.
  'qwen2.5-vl': { ...PLAIN, fullEdge: 1344, cropEdge: 1008, minSide: 28 },
  // A token for each 32x32 pixels; its authors advise up to 2,048 for a picture.
  'qwen3-vl': { ...PLAIN, fullEdge: 1440, cropEdge: 1152, minSide: 32 },
  // One view of 336x336 pixels.
  'llava-1.5': { ...PLAIN, fullEdge: 336, cropEdge: 336, minSide: 28, prompt: ONE_PHRASE },
  // High detail: shrunk to within 2048x2048, then to a short side of 768 (or, of the small models, to 1,536 patches of 32).
  'gpt-4.1': { ...PLAIN, fullEdge: 2048, cropEdge: 1024 },
  // The same eyes. They think before they answer, and refuse `max_tokens` and any temperature but their own.
  'gpt-5': {
    ...PLAIN,
    fullEdge: 2048,
    cropEdge: 1024,
    tokensField: 'max_completion_tokens',
    takesTemperature: false,
    reasoningTokens: REASONING_TOKENS,
  },
  // Tiles of 768 pixels, 258 tokens each. It thinks, and that counts as the answer.
  gemini: { ...PLAIN, fullEdge: 1536, cropEdge: 1024, reasoningTokens: REASONING_TOKENS },
  // At most 12 tiles of 448 pixels and a thumbnail: 3x3 for the full image, 2x2 for the crop, 256 tokens each.
  internvl: { ...PLAIN, fullEdge: 1344, cropEdge: 896, prompt: ONE_PHRASE },
  // Brings every picture, small ones too, to a longest edge of 2048 at most, in tiles.
  smolvlm: { ...PLAIN, fullEdge: 2048, cropEdge: 2048 },
  // One view of 896x896 pixels.
  gemma: { ...PLAIN, fullEdge: 896, cropEdge: 896 },
  // As in the paper and in its reward: shrunk only, and the contract's text, which lower-cases the question.
  paper: { ...PLAIN, fullEdge: 512, cropEdge: 512, cropEnlarge: 1, prompt: null },
  plain: PLAIN,
}

/** The families that a model's name tells. What is told first counts. */
const BY_NAME: readonly (readonly [RegExp, ProfileName])[] = [
  [FAMILIES['qwen2.5-vl'], 'qwen2.5-vl'],
  [FAMILIES['qwen2-vl'], 'qwen2.5-vl'],
  [FAMILIES['qwen3-vl'], 'qwen3-vl'],
  // these see by themselves, with the same image processor
  [/qwen-?3[._-][5-9]/i, 'qwen3-vl'],
  [FAMILIES.internvl, 'internvl'],
  [FAMILIES.gemini, 'gemini'],
  [/gemma/i, 'gemma'],
  [/smol-?vlm/i, 'smolvlm'],
  [/llava-?v?1[._-]5/i, 'llava-1.5'],
  // those of ChatGPT do not think
  [/(^|[^a-z])gpt-?5[\w.-]*-chat/i, 'gpt-4.1'],
  [/(^|[^a-z])(chat)?gpt-?4/i, 'gpt-4.1'],
  [/(^|[^a-z])gpt-?[5-9]/i, 'gpt-5'],
  [/(^|[/:])o[1-9](-|$)/i, 'gpt-5'],
]

/** Models that think before they answer have it in their names where the family has others too. */
const THINKS = /thinking|reasoning/i

/** The profile of a model by the name that an endpoint gives it, `plain` where that tells nothing. */
export function profileOfModel(model: string): ProfileName {
  return BY_NAME.find(([pattern]) => pattern.test(model))?.[1] ?? 'plain'
}

/** The values of a profile for a model. */
export function profileFor(name: ProfileName, model: string): Profile {
  const profile = PROFILES[name]
  return THINKS.test(model)
    ? { ...profile, reasoningTokens: Math.max(profile.reasoningTokens, REASONING_TOKENS) }
    : profile
}
