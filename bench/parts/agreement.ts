/** How often the quantized cropper gives the exact one's boxes: `npm run eval` with each on the same pages. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { evaluation } from '../../src/cli/commands/eval.js'
import { runProgram } from '../../src/cli/program.js'
import { boxScores, type Corners, mean } from '../../src/evaluation/measures.js'
import type { Agreement } from '../results.js'
import { startModel } from '../service.js'
import { significant } from '../stats.js'

export interface AgreementPlan {
  /** The bundled cropper with both precisions. */
  folder: string
  /** A folder with manifest.jsonl. */
  pages: string
  /** Where the two reports are kept. */
  cache: string
  reference: string
  precision: string
  device: string
}

/** What is read of a report of `npm run eval`. */
export interface EvalReport {
  overall: { with_crop: { exact: number } }
  pages: { id: string; bbox?: Corners; error?: string }[]
}

export async function agreement(plan: AgreementPlan): Promise<Agreement> {
  const reference = await report(plan, plan.reference)
  const precision = await report(plan, plan.precision)
  return { ...compareReports(reference, precision), reference: plan.reference, precision: plan.precision }
}

/**
 * Compares the boxes and answers of two reports.
 * @throws Error: a page was not answered, or the reports are about different pages
 */
export function compareReports(reference: EvalReport, other: EvalReport): Omit<Agreement, 'reference' | 'precision'> {
  const pairs = reference.pages.map(({ id, bbox }, i) => {
    const page = other.pages[i]
    if (page?.id !== id || !bbox || !page.bbox) throw new Error(`page ${id} has no box in both precisions`)
    return { iou: boxScores(bbox, page.bbox).iou, equal: bbox.every((edge, k) => edge === page.bbox?.[k]) }
  })
  return {
    pages: pairs.length,
    mean_iou: significant(mean(pairs.map(({ iou }) => iou))),
    equal: significant(mean(pairs.map(({ equal }) => Number(equal)))),
    accuracy: { reference: reference.overall.with_crop.exact, precision: other.overall.with_crop.exact },
  }
}

async function report(plan: AgreementPlan, precision: string): Promise<EvalReport> {
  const out = join(plan.cache, `agreement-${precision}.json`)
  // its tables are in the report too
  const silent = { write: () => true }
  const start = () => startModel({ ...plan, precision })
  const args = ['eval', '--data', plan.pages, '--out', out, '--concurrency', '2']
  await runProgram([evaluation(start)], args, {
    // the bench's services ask for no key
    env: {},
    stdin: process.stdin,
    stdout: silent,
    stderr: process.stderr,
    cwd: process.cwd(),
    signal: new AbortController().signal,
  })
  return JSON.parse(await readFile(out, 'utf8')) as EvalReport
}
