/** A question that was asked, and what came of it. */

/** @typedef {import('../request/api.js').AnswerReply} AnswerReply */
/** @typedef {import('../request/api.js').CropReply} CropReply */
/** @typedef {import('../request/api.js').Problem} Problem */
/** @typedef {import('../../contract/box.js').Box} Box */
/**
 * @typedef {object} Entry
 * @property {import('../request/api.js').Question} asked
 * @property {AnswerReply | CropReply | null} crop the region; null where there is none
 * @property {AnswerReply | null} reply null where the request failed
 * @property {Problem | null} problem
 */

/** @param {Entry} entry */
export function labelOf({ asked }) {
  return asked.box ? 'Your box' : 'Cropper’s box'
}

/**
 * The newest entry about the same question and target whose box is of the other kind; undefined if there is none.
 * @param {Entry[]} entries
 * @param {Entry['asked']} asked
 */
export function counterpart(entries, asked) {
  return entries.findLast(
    ({ asked: other, crop }) =>
      crop !== null &&
      other.question === asked.question &&
      other.target === asked.target &&
      (other.box === null) !== (asked.box === null),
  )
}

/**
 * Intersection over union of two boxes, 0..1.
 * @param {Box} one
 * @param {Box} other
 */
export function overlap(one, other) {
  const shared = side(one, other, 0) * side(one, other, 1)
  return shared / (area(one) + area(other) - shared)
}

/** @param {Box} one @param {Box} other @param {0 | 1} axis */
function side(one, other, axis) {
  const high = axis === 0 ? 2 : 3
  return Math.max(0, Math.min(one[high], other[high]) - Math.max(one[axis], other[axis]))
}

/** @param {Box} box */
function area([x1, y1, x2, y2]) {
  return (x2 - x1) * (y2 - y1)
}
