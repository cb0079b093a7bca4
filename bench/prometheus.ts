/** Reading a service's `/metrics`: Prometheus' text format, version 0.0.4. */

export interface Sample {
  name: string
  labels: Readonly<Record<string, string>>
  value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g
const ESCAPES: Record<string, string> = { n: '\n' }

/**
 * All samples, in their order.
 * @throws SyntaxError: the message names the line that cannot be read
 */
export function parseMetrics(text: string): Sample[] {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return lines.map(line => {
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? []
    if (name === undefined) throw new SyntaxError(`no line of Prometheus' text format: ${line}`)
    return { name, labels: Object.fromEntries(readLabels(labels)), value: toNumber(value) }
  })
}

/** The sum of the samples of one name whose labels include those given; null where there is none. */
export function total(samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number | null {
  const wanted = Object.entries(labels)
  const found = samples.filter(
    sample => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
  )
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0)
}

/** The upper bound of the last bucket of a histogram that holds something; null where nothing was observed. */
export function largestBucket(samples: readonly Sample[], name: string): number | null {
  const buckets = samples
    .filter(sample => sample.name === `${name}_bucket`)
    .map(({ labels, value }) => ({ bound: toNumber(labels.le ?? ''), count: value }))
    .sort((a, b) => a.bound - b.bound)
  const all = buckets.at(-1)?.count ?? 0
  return all === 0 ? null : (buckets.find(({ count }) => count === all)?.bound ?? null)
}

/**
 * Reads the metrics of a service.
 * @throws Error: the service does not answer
 */
export async function scrape(url: string): Promise<Sample[]> {
  const response = await fetch(`${url}/metrics`)
  if (!response.ok) throw new Error(`${url}/metrics answers ${response.status}`)
  return parseMetrics(await response.text())
}

function readLabels(text: string): [string, string][] {
  return [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [
    name,
    value.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter),
  ])
}

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  return Number(text)
}
