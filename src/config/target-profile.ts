/** What a target VLM is shown and told: a profile's values, each of which an entry of `TARGETS` or a variable may replace. */
import { type Static, type TObject, Type } from '@sinclair/typebox'
import { PROFILE_NAMES, type Profile, type ProfileName, profileFor, profileOfModel } from '../target/profiles.js'
import { Choice, expectedBy, OrNull } from './schema.js'
import type { Settings } from './variables.js'

export const EDGE = { minimum: 16, maximum: 16_384, unit: 'pixels' }
const ENLARGE = { minimum: 1, maximum: 100 }
const SIDE = { minimum: 1, maximum: 1024, unit: 'pixels' }
const REASONING = { minimum: 0, maximum: 1_000_000, unit: 'tokens' }
const TEMPLATE = { pattern: '\\{question\\}', expected: 'a text with {question} in it, where the question is to stand' }

/** Unset is not `original`: it is what the profile says. */
const edgeVariable = (env: string, description: string) =>
  Type.Optional(
    Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      ...EDGE,
      env,
      word: 'original',
      defaultText: 'unset',
      description,
    }),
  )

export const PROFILE_VARIABLES = {
  profile: OrNull(
    Choice(PROFILE_NAMES, {
      env: 'TARGET_PROFILE',
      description:
        "What a target is shown and told, by the family of its model: paper is the paper's, plain suits any; unset: by the model's name, else plain. GET /info shows the values; the variables below replace them one by one.",
    }),
  ),
  fullEdge: edgeVariable(
    'TARGET_FULL_EDGE',
    "Longest edge to which the full image is shrunk for a target; original sends it whole; unset: the profile's.",
  ),
  cropEdge: edgeVariable(
    'TARGET_CROP_EDGE',
    "Longest edge to which the crop is shrunk or enlarged for a target; original sends it as cut; unset: the profile's.",
  ),
  cropEnlarge: OrNull(
    Type.Number({
      env: 'TARGET_CROP_ENLARGE',
      ...ENLARGE,
      description:
        'At most how many times a small crop is enlarged to TARGET_CROP_EDGE; 1 does not enlarge; unset: 8, of the profile paper 1.',
    }),
  ),
  minSide: OrNull(
    Type.Integer({
      env: 'TARGET_MIN_SIDE',
      ...SIDE,
      description:
        "Least pixels of either side of a picture for a target: a smaller one is enlarged; unset: the profile's (28 or 32).",
    }),
  ),
  prompt: OrNull(
    Type.String({
      env: 'TARGET_PROMPT',
      ...TEMPLATE,
      description:
        "What follows the pictures, with {question} where the question is to stand, as it was sent; \\n is a new line; unset: the profile's.",
    }),
  ),
  system: OrNull(
    Type.String({
      env: 'TARGET_SYSTEM',
      description: 'System message before the question; \\n is a new line; unset: none.',
    }),
  ),
  reasoningTokens: OrNull(
    Type.Integer({
      env: 'TARGET_REASONING_TOKENS',
      ...REASONING,
      description:
        "Tokens beyond a request's max_tokens that a target may think with; unset: the profile's (2048 for models that think, else 0).",
    }),
  ),
}

export type ProfileSettings = Settings<typeof PROFILE_VARIABLES>

const edge = (description: string) =>
  Type.Optional(
    Type.Union([Type.Integer(EDGE), Type.Literal('original')], {
      expected: `${expectedBy(Type.Integer(EDGE))}, or original`,
      description,
    }),
  )

/** The same as keys of an entry of `TARGETS`. */
export const PROFILE_ENTRY = {
  full_edge: edge('Longest edge of the full image as it is sent, or original; TARGET_FULL_EDGE.'),
  crop_edge: edge('Longest edge of the crop as it is sent, or original; TARGET_CROP_EDGE.'),
  profile: Type.Optional(Choice(PROFILE_NAMES, { description: 'As TARGET_PROFILE.' })),
  crop_enlarge: Type.Optional(Type.Number({ ...ENLARGE, description: 'As TARGET_CROP_ENLARGE.' })),
  min_side: Type.Optional(Type.Integer({ ...SIDE, description: 'As TARGET_MIN_SIDE.' })),
  prompt: Type.Optional(Type.String({ ...TEMPLATE, description: 'Text with {question} in it; TARGET_PROMPT.' })),
  system: Type.Optional(
    Type.String({ minLength: 1, remedy: 'give it as a text', description: 'System message; TARGET_SYSTEM.' }),
  ),
  reasoning_tokens: Type.Optional(Type.Integer({ ...REASONING, description: 'As TARGET_REASONING_TOKENS.' })),
}

type ProfileEntry = Static<TObject<typeof PROFILE_ENTRY>>

/** The values for one target, and the profile that gave those which are not set. */
export interface TargetProfile extends Profile {
  readonly profile: ProfileName
}

/** @param model The endpoint's name of the model. */
export function targetProfile(entry: ProfileEntry, settings: ProfileSettings, model: string): TargetProfile {
  const profile = entry.profile ?? settings.profile ?? profileOfModel(model)
  const own = profileFor(profile, model)
  return {
    ...own,
    profile,
    fullEdge: edgeOf(entry.full_edge, settings.fullEdge, own.fullEdge),
    cropEdge: edgeOf(entry.crop_edge, settings.cropEdge, own.cropEdge),
    cropEnlarge: entry.crop_enlarge ?? settings.cropEnlarge ?? own.cropEnlarge,
    minSide: entry.min_side ?? settings.minSide ?? own.minSide,
    prompt: entry.prompt ?? lines(settings.prompt) ?? own.prompt,
    system: entry.system ?? lines(settings.system) ?? own.system,
    reasoningTokens: entry.reasoning_tokens ?? settings.reasoningTokens ?? own.reasoningTokens,
  }
}

function edgeOf(
  given: number | 'original' | undefined,
  set: number | null | undefined,
  own: number | null,
): number | null {
  if (given !== undefined) return given === 'original' ? null : given
  return set === undefined ? own : set
}

/** A variable of the environment can hardly hold a new line, in env files not at all. */
function lines(text: string | null): string | null {
  return text?.replaceAll('\\n', '\n') ?? null
}
