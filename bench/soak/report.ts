/** The summary of a soak as text. */

import { LOOP_SAMPLING_MS } from '../load/summary.js'
import { median } from '../stats.js'
import type { Course, Range } from './measure/memory.js'
import { growthText } from './measure/verdict.js'
import type { SoakResult } from './run.js'
import type { Summary } from './summary.js'

export function report(result: SoakResult, summary: Summary): string {
  const { requests, behaviours, faults, samples, isFull, rests, kills } = result
  const { memory, maxLoopMs } = summary
  const all = requests.reduce((sum, row) => sum + row.requests, 0)
  const width = Math.max(...requests.map(({ kind }) => kind.length))
  const last = samples.at(-1)
  const ms = kills.map(kill => kill.ms)
  return [
    `${'kind'.padEnd(width)} requests   p50 ms   p99 ms  statuses`,
    ...requests.map(
      row =>
        `${row.kind.padEnd(width)} ${number(row.requests)} ${number(row.p50)} ${number(row.p99)}  ${counts(row.statuses)}`,
    ),
    '',
    `${all} requests in ${((last?.hours ?? 0) * 60).toFixed(1)} min`,
    `the shaky target: ${counts(behaviours)}`,
    `${kills.length} kills of the engine; back after ${(median(ms) / 1000).toFixed(1)} s (median), ${(Math.max(...ms) / 1000).toFixed(1)} s at most`,
    `caches ${isFull ? 'were full when the measured part began' : 'WERE NOT FULL when the measured part began: a slope may be theirs'}`,
    ...memory.map(course => `memory, ${course.name}: ${ranges(course)}; ${growthText(course.line)}`),
    `descriptors at rest, HTTP: ${rests.map(rest => rest.http).join(', ')}; engine: ${rests.map(rest => rest.engine).join(', ')} (before and after the measured part, after the last kills)`,
    `event loop of the HTTP process late by at most ${maxLoopMs === null ? '?' : Math.round(Math.max(0, maxLoopMs - LOOP_SAMPLING_MS))} ms`,
    ...faults.map(fault => `FAULT ${fault}`),
    verdict(summary),
    '',
  ].join('\n')
}

function verdict({ problems, open }: Summary): string {
  if (problems.length > 0) return `NOT STEADY: ${problems.join('; ')}`
  return open.length === 0 ? 'STEADY' : `NOTHING FOUND; whether memory grows is open for: ${open.join('; ')}`
}

function counts(of: Readonly<Record<string, number>>): string {
  return Object.entries(of)
    .map(([name, count]) => `${name} x${count}`)
    .join(', ')
}

function number(value: number): string {
  return String(Math.round(value)).padStart(8)
}

function ranges({ underLoad, atRest }: Course): string {
  const known = [underLoad && `${rangeText(underLoad)} under load`, atRest && `${rangeText(atRest)} at rest`]
  return known.filter(text => text !== null).join(', ') || '?'
}

function rangeText([least, most]: Range): string {
  return `${Math.round(least)}-${Math.round(most)} MiB`
}
