/** What the service's words mean, for a person to read. */

/** @typedef {import('../request/api.js').CropReply} CropReply */

/** @type {Readonly<Record<CropReply['decision'], string>>} */
export const DECISIONS = { zoomed: 'Zoomed', given: 'Your box', fallback: 'No box', skipped: 'Skipped' }

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  no_box: 'the model wrote no box',
  out_of_range: 'the model wrote a box that is not within the picture',
  empty_box: 'the model wrote an empty box',
  not_a_cropper: 'the model was not taught to give boxes',
  no_text: 'there is no text to be read in the picture',
  no_match: 'no line of text fits the question',
  never: 'no box was looked for',
  sees_all: 'the target sees every pixel anyway',
  low_confidence: 'the cropper is not sure enough',
  whole_image: 'the box covers nearly the whole picture',
}

/** @type {Readonly<Record<string, string>>} */
export const STAGES = {
  queue: 'Queue',
  decode: 'Decode',
  preprocess: 'Preprocess',
  detect: 'Find text',
  recognize: 'Read text',
  vision: 'Vision',
  prefill: 'Prefill',
  generate: 'Generate',
  crop: 'Cut',
  target: 'Target',
  other: 'Other',
}

/**
 * What became of the box, in a sentence.
 * @param {Pick<CropReply, 'decision' | 'reason' | 'would_skip'>} crop
 */
export function verdictOf({ decision, reason, would_skip }) {
  const because = reason === null ? '' : `: ${REASONS[reason] ?? reason}`
  switch (decision) {
    case 'fallback':
      return `The target saw the whole picture${because}.`
    case 'skipped':
      return `The target did not get this crop${because}.`
    default: {
      const but = would_skip === null ? '' : ` It may not help: ${REASONS[would_skip] ?? would_skip}.`
      return `The target saw the whole picture and this crop.${but}`
    }
  }
}

/** @param {number} share 0..1 */
export function perCent(share) {
  return `${Math.round(100 * share)} %`
}
