/** NOTICE, the citation and the model cards say what is so. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { ROOT, readText, readYaml } from '../support/deploy-files.js'

function licences(cwd: string, ...more: string[]) {
  return spawnSync(process.execPath, [join(ROOT, 'scripts/licences/main.mjs'), ...more], { cwd, encoding: 'utf8' })
}

t.test('NOTICE names every package whose licence asks for it', async t => {
  const { status, stdout, stderr } = licences(ROOT)
  t.equal(stderr, '')
  t.equal(status, 0)
  t.match(stdout, /^MIT\tonnxruntime-node@/m)
  t.match(stdout, /^LGPL-3\.0-or-later\t@img\/sharp-libvips-linux-x64@/m)
  t.notMatch(stdout, /\ttypescript@/, 'devDependencies are not brought')
})

const withoutTrainer = existsSync(join(ROOT, 'trainer/.venv')) ? false : 'trainer/.venv is absent'

t.test("NOTICE names the trainer's packages whose licences ask for it", { skip: withoutTrainer }, async t => {
  const { status, stdout, stderr } = licences(ROOT, '--trainer')
  t.equal(stderr, '')
  t.equal(status, 0)
  t.match(stdout, /^MPL-2\.0\tpip\/certifi@/m)
  t.match(stdout, /^Apache-2\.0 AND .+\tpip\/torch@/m)
  t.notMatch(stdout, /\tpip\/pytest@/, 'tools for tests are not brought')
})

/** The script on these packages, all but the last of which NOTICE has to name. */
function judged(t: Test, licence: string | undefined, notice: string) {
  const packages = { '': {}, 'node_modules/a': { version: '1.0.0', license: licence } }
  return licences(t.testdir({ 'package-lock.json': JSON.stringify({ packages }), NOTICE: notice }))
}

t.test('a licence that is unknown, or asks for more than its text, is told', async t => {
  for (const free of ['MIT', '(MIT OR GPL-3.0-only)', 'MIT AND ISC'])
    t.match(judged(t, free, ''), { status: 0, stderr: '' }, free)
  for (const other of ['GPL-3.0-only', 'MIT AND GPL-3.0-only', 'SEE LICENSE IN x']) {
    t.match(judged(t, other, ''), { status: 1, stderr: `a is under "${other}": add the line "  a: ${other}"` })
    t.match(judged(t, other, `Text\n  a: ${other}\n`), { status: 0, stderr: '' })
  }
  t.match(judged(t, undefined, '  a: MIT\n'), { status: 1, stderr: 'a is under "unknown"' })
  t.match(judged(t, 'MIT', '  b-*: LGPL-3.0-or-later\n'), { status: 1, stderr: 'NOTICE names b-*, which no' })
})

t.test('the citation is of the paper', async t => {
  const citation = readYaml<{ 'cff-version': string; license: string; 'preferred-citation': { title: string } }>(
    'CITATION.cff',
  )
  t.match(citation, { 'cff-version': '1.2.0', license: 'Apache-2.0' })
  t.equal(citation['preferred-citation'].title, 'CropVLM: Learning to Zoom for Fine-Grained Vision-Language Perception')
})

interface Manifest {
  scores: { held_out: { exact_match: Record<string, Record<string, number>> } }
}

/** The text of a model's card, whose front matter names the licence and what the model is. */
function card(t: Test, name: string): string {
  const [, front = '', text = ''] = readText(`models/${name}/README.md`).split(/^---$/m)
  t.match(parse(front), { license: 'apache-2.0', library_name: 'onnx', pipeline_tag: /-/ })
  return text
}

for (const name of ['cropvlm-mini', 'smolvlm-mini']) {
  t.test(`the card of ${name} has its licence and its measured figures`, async t => {
    const text = card(t, name)
    const { scores } = JSON.parse(readText(`models/${name}/cropvlm.json`)) as Manifest
    const rows = [...text.matchAll(/^\| (.+?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$/gm)]
    t.ok(rows.length >= 4)
    for (const [, measure = '', ...shown] of rows) {
      const { all, receipt, shapes, table } = scores.held_out.exact_match[measure] ?? {}
      const measured = [all, receipt, shapes, table].map(share => (100 * (share ?? Number.NaN)).toFixed(1))
      t.same(shown, measured, measure)
    }
  })
}

t.test('the card of cropvlm-receipts has its licence, the terms of its data and the measured figures', async t => {
  const text = card(t, 'cropvlm-receipts')
  t.match(text, /ICDAR 2019 SROIE.+made public for research/s)
  const measured = readText('trainer/experiments/receipts/results/receipts.md').split('\n')
  const rows = text.split('\n').filter(line => line.startsWith('| '))
  t.ok(rows.length >= 10)
  for (const row of rows) t.ok(measured.includes(row), row)
})
