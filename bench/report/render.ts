/** `RESULTS.md` from `results.json`, the notes written by hand put in as they are. */
import type { Results } from '../results.js'
import { latencySections, noisy } from './latency.js'
import { agreementSection, loadSections, processesSection, secondSection, textSection } from './others.js'
import { proxySections } from './proxy.js'
import { table } from './table.js'
import { type Target, targets } from './targets.js'

/** @param notes NOTES.md's content; null where there is none. */
export function render(results: Results, notes: string | null): string {
  const { machine, rows } = results
  const gpu = machine.gpu === null ? '' : `, ${machine.gpu}`
  const noise = noisy(rows)
  return [
    '# What was measured\n',
    'Made by `npm run bench` from results.json; what is written by hand stands in NOTES.md.\n',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB${gpu}; ${machine.system}, Node ${machine.node}; load average before: ${machine.load_before}.`,
    measured(results),
    versions(results),
    ...results.skipped.map(line => `Not measured: ${line}.`),
    ...(noise === null ? [] : [noise]),
    `\n## Targets\n\n${targetTable(targets(results))}\n`,
    ...(notes === null ? [] : [`${notes.trim()}\n`]),
    ...(rows.length === 0 ? [] : [`## One box\n\n${HOW}\n`, ...latencySections(rows)]),
    ...secondSection(results.second_question),
    ...agreementSection(results),
    ...loadSections(results.load),
    ...(results.load.length === 0 ? [] : [`${LOAD_HOW}\n`]),
    ...processesSection(results.processes),
    ...textSection(results.text ?? null),
    ...proxySections(results.proxy ?? null),
  ].join('\n')
}

const HOW = `Every engine in a process of its own, all loaded at once, asked in turns: each round has a new picture (a JPEG of
1600 x 1200), and a ratio is the median of the rounds' ratios. Totals run from the file to the box: for ours over HTTP,
the service as its users start it; for transformers processor and \`generate\` (PyTorch in eager mode, its default
attention); for transformers.js the same on the same weights in the hub's layout, q8 by
onnxruntime's own dynamic quantization (\`trainer/bench/dynamic_q8.py\`). Random weights have no box to say, so lengths
are made equal: ours decodes a box under its grammar, and the peers generate exactly as many tokens as our first precision's box of that picture has (\`min_new_tokens\` =
\`max_new_tokens\`), the end included, as trained weights would have them do. "tokens" has the median, so that
another of our precisions with another box can be judged. Threads are each engine's own choice. Peak MiB: largest
resident set of the engine's processes since their start, loading included; ours is the HTTP process and the engine
process together.`

const LOAD_HOW = `Open loop: requests leave at random times (Poisson) of the rate, whatever becomes of those before; latencies are of
accepted requests from the moment they were to leave. Every request's file is another one to the service. The generator
is a process of its own on the same machine and takes its share of the cores. Loop delay:
\`nodejs_eventloop_lag_p99_seconds\` over that rate alone (prom-client resets it at each scrape), less its sampling
interval of 10 ms, which an idle loop shows.`

function measured({ parts, date, revision }: Results): string {
  const each = Object.entries(parts).map(
    ([part, at]) => `${part} ${at.date.slice(0, 16)}Z at ${at.revision ?? 'no revision'} (${Math.round(at.seconds)} s)`,
  )
  return `Last run ${date.slice(0, 16)}Z, revision ${revision ?? 'unknown'} (+: with changes). Parts: ${each.join('; ')}.`
}

function versions({ versions: known }: Results): string {
  return `Peers: ${Object.values(known).join('; ') || 'none'}.`
}

function targetTable(all: readonly Target[]): string {
  const word = (met: boolean | null) => (met === null ? 'not measured' : met ? 'met' : '**missed**')
  return table(
    ['target', 'at least', 'measured', ''],
    all.map(({ what, wanted, measured: found, met }) => [what, wanted, found ?? '-', word(met)]),
  )
}
