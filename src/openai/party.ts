/** Whose endpoint a client speaks to, and how its failures are told: one row for targets, one for croppers. */
import type { ErrorCode } from '../errors.js'
import type { ErrorKind } from './reply/error-kinds.js'

export interface Party {
  readonly failed: ErrorCode
  readonly timedOut: ErrorCode
  /** What it does for this service, as spans tell it. */
  readonly role: 'cropper' | 'target'
  /** Begins a sentence, as in "The target". */
  readonly subject: string
  /** The option that holds the timeout. */
  readonly timeoutOption: string
  /** The option that holds the endpoint's address. */
  readonly addressOption: string
  /** What to do about a kind of error, from the colon on. */
  readonly kinds: Readonly<Record<ErrorKind, string>>
  /** What to do about a status, from the colon on. A status without a hint gets a full stop. */
  readonly hints: Readonly<Record<number, string>>
}

export const TARGET: Party = {
  failed: 'target_failed',
  timedOut: 'target_timeout',
  role: 'target',
  subject: 'The target',
  timeoutOption: 'TARGET_TIMEOUT_MS',
  addressOption: 'TARGET_BASE_URL',
  kinds: {
    too_many_images: `: it takes fewer pictures in a request; start vLLM with --limit-mm-per-prompt '{"image": 2}', or ask with mode=crop, which sends one.`,
    no_images: ': its model reads no images; set TARGET_MODEL to a vision-language model (llama.cpp: with --mmproj).',
    filtered: ': its content filter refused the request.',
    no_quota: ': its account has no quota or credit left.',
    too_long:
      ': the request is longer than its context; lower TARGET_FULL_EDGE and TARGET_CROP_EDGE, or give it a larger one (vLLM: --max-model-len).',
    unknown_model: ': it has no such model; check TARGET_MODEL.',
    wrong_key: ': it does not take the key; set TARGET_API_KEY.',
  },
  hints: {
    400: ': it does not take this request; check that the model reads images.',
    401: ': it does not take the key; set TARGET_API_KEY.',
    403: ': the key may not use this model.',
    404: ': it has no such model or path; check TARGET_MODEL, and that TARGET_BASE_URL ends in /v1.',
    405: ': it takes no chat completions at this address; check that TARGET_BASE_URL ends in /v1, and begins with https:// if it redirects there.',
    413: ': the pictures are too large for it; lower TARGET_FULL_EDGE and TARGET_CROP_EDGE.',
    429: ': it is over its rate limit; try again later.',
  },
}

/** @param options The prefix of the options that name the endpoint: the target's where it finds the boxes as well. */
export function cropperParty(options: 'CROPPER' | 'TARGET'): Party {
  return {
    failed: 'cropper_failed',
    timedOut: 'cropper_timeout',
    role: 'cropper',
    subject: "The cropper's endpoint",
    timeoutOption: 'CROPPER_TIMEOUT_MS',
    addressOption: `${options}_BASE_URL`,
    kinds: {
      too_many_images: ': it takes no picture in a request.',
      no_images: `: its model reads no images; set ${options}_MODEL to a vision-language model (llama.cpp: with --mmproj).`,
      filtered: ': its content filter refused the request.',
      no_quota: ': its account has no quota or credit left.',
      too_long:
        ': the request is longer than its context; lower CROPPER_EDGE, or give it a larger one (vLLM: --max-model-len).',
      unknown_model: `: it has no such model; check ${options}_MODEL.`,
      wrong_key: `: it does not take the key; set ${options}_API_KEY.`,
    },
    hints: {
      400: ': it does not take this request; check that the model reads images.',
      401: `: it does not take the key; set ${options}_API_KEY.`,
      403: ': the key may not use this model.',
      404: `: it has no such model or path; check ${options}_MODEL, and that ${options}_BASE_URL ends in /v1.`,
      405: `: it takes no chat completions at this address; check that ${options}_BASE_URL ends in /v1, and begins with https:// if it redirects there.`,
      413: ': the picture is too large for it; lower CROPPER_EDGE.',
      429: ': it is over its rate limit; try again later, or lower CROPPER_CONCURRENCY.',
    },
  }
}
