import t from 'tap'
import type { FindRequest, Found } from '../../src/cropper/cropper.js'
import { findByImage } from '../../src/cropper/same-image.js'

const [one, other] = [new Uint8Array([1]), new Uint8Array([2])]
const { signal } = new AbortController()
const deadline = Date.now() + 60_000
const request = (question: string, changes: Partial<FindRequest> = {}): FindRequest => ({
  image: one,
  question,
  resolution: null,
  keepPixels: false,
  signal,
  deadline,
  ...changes,
})
const fulfilled = ({ question }: FindRequest): PromiseSettledResult<Found> => ({
  status: 'fulfilled',
  value: { raw: question } as Found,
})

t.test('a group is of one image, one resolution and one caller; outcomes are in the order of the requests', async t => {
  const requests = [
    request('a'),
    request('b', { image: other }),
    request('c', { resolution: 512 }),
    request('d', { deadline: deadline + 1 }),
    request('e', { signal: new AbortController().signal }),
    request('f', { image: other }),
  ]
  const groups: string[][] = []
  const outcomes = await findByImage(requests, async group => {
    groups.push(group.map(({ question }) => question))
    return group.map(fulfilled)
  })
  t.same(groups, [['a', 'd'], ['b', 'f'], ['c'], ['e']])
  t.match(
    outcomes,
    ['a', 'b', 'c', 'd', 'e', 'f'].map(raw => ({ status: 'fulfilled', value: { raw } })),
  )
  t.same(await findByImage([], async () => []), [])
})

t.test('a group that fails as a whole, and one request that fails alone', async t => {
  const requests = [request('a'), request('b', { image: other }), request('c'), request('d', { image: other })]
  const outcomes = await findByImage(requests, async group => {
    if (group[0].image === one) throw new Error('broken')
    return [fulfilled(group[0]), { status: 'rejected', reason: new Error('alone') }]
  })
  t.match(outcomes, [
    { status: 'rejected', reason: { message: 'broken' } },
    { status: 'fulfilled', value: { raw: 'b' } },
    { status: 'rejected', reason: { message: 'broken' } },
    { status: 'rejected', reason: { message: 'alone' } },
  ])
})
