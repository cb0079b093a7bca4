import type { FindRequest } from './cropper.js'

/** Requests that can share what is done to their image: of one caller, about one image, at one resolution. */
export function sameImage(requests: readonly FindRequest[]): FindRequest[][] {
  const groups: FindRequest[][] = []
  for (const request of requests) {
    const { image, resolution, signal } = request
    const group = groups.find(
      ([first]) => first?.image === image && first.resolution === resolution && first.signal === signal,
    )
    if (group) group.push(request)
    else groups.push([request])
  }
  return groups
}
