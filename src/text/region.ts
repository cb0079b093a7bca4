import { roundOutwards, type Size } from '../contract/box.js'
import type { Candidate } from './candidates.js'
import { inOneRow, type Layout, type PlacedLine } from './layout.js'

/** What a box may cost: this share of certainty for each per cent of the image that it grows by. */
const PRICE = 0.03
/** Rooms around the lines, in heights of the line. */
const MARGIN = 0.45
/** A piece of the same row that is closer than this many line heights is part of the line. */
const PIECE = 1.2
/** Candidates that a box may hold at most. */
const MAX_LINES = 6

interface Area {
  left: number
  top: number
  right: number
  bottom: number
}

/**
 * A box around the likeliest candidate, and around further ones where those are likely enough for what the box grows by.
 * @param all The likeliest first, each with its share.
 * @returns The box and the sum of the shares of the candidates inside.
 */
export function regionAround(all: readonly (Candidate & { share: number })[], layout: Layout) {
  const [first, ...others] = all.map(candidate => ({ area: areaOf(candidate, layout), share: candidate.share }))
  if (!first) throw new Error('no candidate')
  let area = first.area
  for (let n = 1; n < MAX_LINES; n++) {
    const gains = others
      .filter(other => !holds(area, other.area))
      .map(other => {
        const wider = union(area, other.area)
        const share = others
          .filter(({ area: a }) => holds(wider, a) && !holds(area, a))
          .reduce((s, o) => s + o.share, 0)
        return { wider, gain: share - PRICE * (percent(wider, layout.size) - percent(area, layout.size)) }
      })
    const best = gains.sort((a, b) => b.gain - a.gain)[0]
    if (!best || best.gain <= 0) break
    area = best.wider
  }
  const certainty = first.share + others.filter(o => holds(area, o.area)).reduce((sum, { share }) => sum + share, 0)
  const { width, height } = layout.size
  const box = roundOutwards([
    (100 * area.left) / width,
    (100 * area.top) / height,
    (100 * area.right) / width,
    (100 * area.bottom) / height,
  ])
  return { box, certainty }
}

/** A line with its pieces and its label, where that stands in the same row, and some room around. */
export function areaOf({ line, label }: Candidate, layout: Layout): Area {
  let area: Area = line
  for (const other of layout.lines) {
    const gap = Math.max(other.left - area.right, area.left - other.right)
    const isPiece =
      other !== line && inOneRow(line, other, 0.5) && gap >= -0.5 * line.height && gap < PIECE * line.height
    if (isPiece) area = union(area, other)
  }
  if (label && label !== line && inOneRow(label, line)) area = union(area, label)
  const room = MARGIN * line.height
  return { left: area.left - room, top: area.top - room, right: area.right + room, bottom: area.bottom + room }
}

function union(a: Area, b: Area | PlacedLine): Area {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  }
}

function holds(outer: Area, inner: Area): boolean {
  return (
    outer.left <= inner.left && outer.top <= inner.top && outer.right >= inner.right && outer.bottom >= inner.bottom
  )
}

function percent({ left, top, right, bottom }: Area, { width, height }: Size): number {
  return (100 * (right - left) * (bottom - top)) / (width * height)
}
