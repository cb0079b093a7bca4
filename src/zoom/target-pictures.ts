/** What a target is shown of an image: how large the pictures are, and in which format. */
import type { PictureOptions } from '../image/picture.js'
import { MAX_ASPECT } from '../target/profiles.js'
import type { Target } from '../target/target.js'
import type { TargetView } from './gate.js'

/** Longest edges in pixels; `original`: as large as the picture is; null: not asked for. */
export interface Edges {
  full: Edge | null
  crop: Edge | null
  /** Of the full image that is compared with; null: the same as `full`. */
  compare: Edge | null
}
export type Edge = number | 'original'
const OWN_EDGES: Edges = { full: null, crop: null, compare: null }

/** Longest edges in pixels of the pictures for a target; null: as large as they are. */
export interface Shown {
  full: number | null
  crop: number | null
  compare: number | null
  enlarges: boolean
}

export function shownTo(target: Target, edges: Edges = OWN_EDGES): Shown {
  const edge = (wanted: Edge | null, otherwise: number | null) => (wanted === 'original' ? null : (wanted ?? otherwise))
  const full = edge(edges.full, target.fullLongestEdge)
  const crop = edge(edges.crop, target.cropLongestEdge)
  // what the engine runs enlarges by itself; an endpoint's crop is enlarged to its edge, if there is one
  const enlarges = target.profile ? crop !== null && target.profile.cropEnlarge > 1 : target.enlarges
  return { full, crop, compare: edge(edges.compare, full), enlarges }
}

/** What the gate has to know of it. */
export function viewOf({ full, crop, enlarges }: Shown): TargetView {
  return { fullEdge: full, enlarges, cropEdge: crop }
}

/** The whole image with this longest edge: JPEG over a network, lossless PNG to a model in the engine. */
export function wholePicture({ local, profile }: Target, longestEdge: number | null): PictureOptions {
  const encoding = local ? ({ format: 'png', quality: 100 } as const) : ({ format: 'jpeg', quality: 90 } as const)
  const limits = profile ? { limits: { minSide: profile.minSide, maxAspect: MAX_ASPECT } } : {}
  return { ...encoding, ...limits, longestEdge }
}

/** The same of the region, which is enlarged where the target's profile says so. */
export function cropPicture(target: Target, longestEdge: number | null): PictureOptions {
  const picture = wholePicture(target, longestEdge)
  return target.profile ? { ...picture, enlarge: target.profile.cropEnlarge } : picture
}
