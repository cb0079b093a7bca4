import type { FindRequest, Found } from './cropper.js'

/** Requests that can share what is done to their image: of one caller, about one image, at one resolution. */
export type ImageGroup = [FindRequest, ...FindRequest[]]

/**
 * `Cropper.find` for a cropper that handles the requests about one image together.
 * @param findGroup Returns the outcomes of one group, in the order of its requests. If it rejects, each request of that
 * group is rejected with the same reason, and no other is.
 * @returns the outcomes in the order of `requests`
 */
export async function findByImage(
  requests: readonly FindRequest[],
  findGroup: (group: Readonly<ImageGroup>) => Promise<PromiseSettledResult<Found>[]>,
): Promise<PromiseSettledResult<Found>[]> {
  const outcomes = new Map<FindRequest, PromiseSettledResult<Found>>()
  await Promise.all(
    sameImage(requests).map(async group => {
      const found = await findGroup(group).catch(reason => group.map(() => ({ status: 'rejected' as const, reason })))
      for (const [i, outcome] of found.entries()) outcomes.set(group[i] as FindRequest, outcome)
    }),
  )
  return requests.map(request => outcomes.get(request) as PromiseSettledResult<Found>)
}

function sameImage(requests: readonly FindRequest[]): ImageGroup[] {
  const groups: ImageGroup[] = []
  for (const request of requests) {
    const { image, resolution, signal } = request
    const group = groups.find(
      ([first]) => first.image === image && first.resolution === resolution && first.signal === signal,
    )
    if (group) group.push(request)
    else groups.push([request])
  }
  return groups
}
