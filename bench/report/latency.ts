/** The latency rows as tables: one a model and resolution. */
import { STAGES } from '../engines/engine.js'
import type { Row } from '../results.js'
import { ms, table, times, whole } from './table.js'

const TITLES = {
  'full-size': 'Full size (256M architecture, random weights)',
  mini: 'Bundled cropper (cropvlm-mini)',
}

export function latencySections(rows: readonly Row[]): string[] {
  return (['full-size', 'mini'] as const).flatMap(model => {
    const own = rows.filter(row => row.model === model)
    const edges = [...new Set(own.map(({ resolution }) => resolution))].sort((a, b) => a - b)
    return edges.map(edge =>
      section(
        TITLES[model],
        edge,
        own.filter(({ resolution }) => resolution === edge),
      ),
    )
  })
}

function section(title: string, resolution: number, rows: readonly Row[]): string {
  const ours = rows.filter(({ engine }) => engine === 'cropvlm').map(({ precision }) => precision)
  const onGpu = rows.some(({ peak_gpu_mb }) => peak_gpu_mb !== null)
  const head = [
    'engine',
    'box, ms',
    'min-max',
    ...STAGES,
    'tokens',
    'peak MiB',
    ...(onGpu ? ['GPU MiB'] : []),
    ...ours.map(precision => `ours ${precision} is faster by`),
  ]
  const lines = rows.map(row => [
    `${row.engine} ${row.precision}`,
    ms(row.total_ms),
    row.total_ms_range.map(ms).join('-'),
    ...STAGES.map(stage => ms(row.stages[stage])),
    whole(row.tokens),
    whole(row.peak_rss_mb),
    ...(onGpu ? [whole(row.peak_gpu_mb)] : []),
    ...ours.map(precision => times(row.faster_by?.[precision])),
  ])
  const [first] = rows
  const about = `${first?.tiles} tile(s), medians of ${first?.rounds} rounds`
  return `### ${title}, longest edge ${resolution}: ${about}\n\n${table(head, lines)}\n`
}

/** Engines that were not quiet while others worked. */
export function noisy(rows: readonly Row[]): string | null {
  const loud = rows.filter(({ idle_cores }) => (idle_cores ?? 0) > 0.05)
  if (loud.length === 0) return null
  const names = [...new Set(loud.map(row => `${row.engine} ${row.precision} (${row.idle_cores} cores)`))]
  return `Not quiet while others were measured: ${names.join(', ')}.`
}
