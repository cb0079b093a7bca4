/** The sections of a report: what the crop did to the answers. */
import type { Case } from './case.js'

export interface Group {
  /** As an id in the page. */
  name: string
  title: string
  /** One sentence. */
  meaning: string
  /** The most telling first. */
  cases: Case[]
}

interface Section extends Omit<Group, 'cases'> {
  has(one: Case): boolean
  /** The higher, the earlier. */
  rank(one: Case): number
}

const exact = (one: Case, way: 'withCrop' | 'without') => one[way]?.scores?.exact ?? null
const gain = (one: Case) => (one.withCrop?.scores?.anls ?? 0) - (one.without?.scores?.anls ?? 0)
const near = (one: Case) => one.withCrop?.scores?.anls ?? 0
const sure = (one: Case) => one.confidence ?? 0
const isCompared = (one: Case) => exact(one, 'withCrop') !== null && exact(one, 'without') !== null
const both = (one: Case, wanted: number) =>
  isCompared(one) && exact(one, 'withCrop') === wanted && exact(one, 'without') === wanted
const sameText = (one: Case) => one.withCrop?.text.trim().toLowerCase() === one.without?.text.trim().toLowerCase()

/** A case belongs to the first that has it. */
const SECTIONS: readonly Section[] = [
  {
    name: 'failed',
    title: 'Failed',
    meaning: 'The request had no answer.',
    has: one => one.error !== null,
    rank: () => 0,
  },
  {
    name: 'helped',
    title: 'The crop helped',
    meaning: 'Wrong without the crop, right with it. The largest gain first.',
    has: one => isCompared(one) && Number(exact(one, 'withCrop')) > Number(exact(one, 'without')),
    rank: gain,
  },
  {
    name: 'harmed',
    title: 'The crop harmed',
    meaning: 'Right without the crop, wrong with it. The largest loss first.',
    has: one => isCompared(one) && Number(exact(one, 'withCrop')) < Number(exact(one, 'without')),
    rank: one => -gain(one),
  },
  {
    name: 'wrong',
    title: 'Both wrong',
    meaning: 'Wrong with the crop and without it. What is nearly right with the crop first.',
    has: one => both(one, 0),
    rank: near,
  },
  {
    name: 'right',
    title: 'Both right',
    meaning: 'Right with the crop and without it. The surest box first.',
    has: one => both(one, 1),
    rank: sure,
  },
  {
    name: 'differ',
    title: 'The answers differ',
    meaning: 'The data has no right answers, so which of the two is better is for you to see.',
    has: one => one.withCrop !== null && one.without !== null && !sameText(one),
    rank: sure,
  },
  {
    name: 'agree',
    title: 'The answers agree',
    meaning: 'The crop made no difference.',
    has: one => one.withCrop !== null && one.without !== null,
    rank: sure,
  },
  {
    name: 'boxes',
    title: 'Boxes',
    meaning: 'Not compared with an answer without the crop. The least sure box first.',
    has: () => true,
    rank: one => -sure(one),
  },
]

/** As they stand in the page: what went wrong for a reason of its own comes last. */
const ORDER = ['helped', 'harmed', 'wrong', 'right', 'differ', 'agree', 'boxes', 'failed']

export function groupCases(cases: readonly Case[]): Group[] {
  const groups = SECTIONS.map(section => ({ section, cases: [] as Case[] }))
  for (const one of cases) groups.find(({ section }) => section.has(one))?.cases.push(one)
  return groups
    .filter(group => group.cases.length > 0)
    .map(({ section: { name, title, meaning, rank }, cases: members }) => ({
      name,
      title,
      meaning,
      cases: members.sort((a, b) => rank(b) - rank(a)),
    }))
    .sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name))
}

/** How many cases of each group are shown, so that no group takes the place of another. `most` in all. */
export function shareOut(sizes: readonly number[], most: number): number[] {
  const shown = sizes.map(() => 0)
  let left = most
  for (;;) {
    const open = [...sizes.keys()].filter(i => (shown[i] as number) < (sizes[i] as number))
    if (open.length === 0 || left === 0) return shown
    const each = Math.max(1, Math.floor(left / open.length))
    for (const i of open) {
      const more = Math.min(each, left, (sizes[i] as number) - (shown[i] as number))
      shown[i] = (shown[i] as number) + more
      left -= more
    }
  }
}
