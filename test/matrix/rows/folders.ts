/** Row 68: model folders that mean harm. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../support/model-folders/broken.js'
import { splittingBy } from '../../support/model-folders/patterns.js'
import { HOSTILE } from '../../support/onnx/hostile.js'
import type { Row } from '../row.js'
import { each, type World } from '../world/world.js'
import { type Change, changedFolder, MODEL, type Refusal, refusesToStart } from './refused.js'

export const FOLDERS: readonly Row[] = [
  {
    number: 68,
    fault: 'a model folder that means harm: files, graphs, template, patterns, numbers',
    behaviour:
      'never ready; one line names the file and says what to do, and the process ends with 1, within a second and 200 MB of one that is refused for noise in a graph (a template or a pattern that does not end has a second of its own, one that V8 cannot end 20)',
    run: hostileFolders,
  },
]

const GRAPH = 'onnx/vision_encoder.onnx'
const LIMIT_MS = 1000
const LIMIT_MB = 200
/** How long a template or a pattern may take, and how long one that V8 does not end (`time-limit.ts`, `trial.ts`). */
const [OWN_MS, TRIAL_MS] = [1000, 20_000]

interface Case {
  change: Change
  /** What the line has to name. */
  file: string
  /** Its own time, where that is what ends it. */
  ownMs?: number
}

const edited =
  (file: string, edit: (json: Json) => Json): Change =>
  folder =>
    writeFileSync(join(folder, file), JSON.stringify(edit(JSON.parse(readFileSync(join(folder, file), 'utf8')))))
/** Without hashes, so that what is changed is read. */
const free =
  (change: Change): Change =>
  folder => {
    rmSync(join(folder, 'cropvlm.json'))
    change(folder)
  }
const long =
  (file: string, bytes: number): Change =>
  folder =>
    truncateSync(join(folder, file), bytes)
const template = (text: string): Case => ({
  change: free(edited('chat_template.json', () => ({ chat_template: text }))),
  file: 'chat_template.json',
})
const doubled = (start: string, twice: string): Case =>
  template(
    `{% set n = namespace(a=${start}) %}{% for i in range(31) %}{% set n.a = ${twice} %}{% endfor %}{{ n.a | length }}`,
  )
const hashed = (file: string, change: Change = () => {}): Case => ({
  change: folder => {
    change(folder)
    edited('cropvlm.json', json => ({ ...json, sha256: { ...(json.sha256 as Json), [file]: '0'.repeat(64) } }))(folder)
  },
  file,
})
const graph = (name: string): Case => ({
  change: free(folder => writeFileSync(join(folder, GRAPH), hostileGraph(name))),
  file: GRAPH,
})

function hostileGraph(name: string): Buffer {
  const found = HOSTILE[name]
  if (!found) throw new Error(`no hostile graph is called "${name}"`)
  return found.bytes()
}

const CASES: Readonly<Record<string, Case>> = {
  'a hash of /etc/passwd': { ...hashed('../../../etc/passwd'), file: '/etc/passwd' },
  'a hash of /dev/zero': hashed('zero', folder => symlinkSync('/dev/zero', join(folder, 'zero'))),
  'a pipe': {
    change: folder => {
      rmSync(join(folder, 'config.json'))
      execFileSync('mkfifo', [join(folder, 'config.json')])
    },
    file: 'config.json',
  },
  'a graph that is a link out of the folder': {
    change: free(folder => {
      rmSync(join(folder, GRAPH))
      symlinkSync(join(MODEL, GRAPH), join(folder, GRAPH))
    }),
    file: GRAPH,
  },
  'a range of 10^9': template('{% for i in range(1000000000) %}{% endfor %}'),
  'a list that is doubled': doubled('[1]', 'n.a + n.a'),
  'a text that is doubled': doubled("'a'", '(n.a ~ n.a) | upper'),
  'loops without end': {
    ...template(`${'{% for i in range(9999) %}'.repeat(3)}${'{% endfor %}'.repeat(3)}`),
    ownMs: OWN_MS,
  },
  'a text that is looked for in a longer one': {
    ...template(
      "{% set n = namespace(a='a') %}{% for i in range(20) %}{% set n.a = n.a ~ n.a %}{% endfor %}{{ (n.a ~ 'b' ~ n.a) in (n.a ~ n.a ~ n.a ~ n.a) }}",
    ),
    ownMs: TRIAL_MS,
  },
  'a pattern without end': {
    change: free(edited('tokenizer.json', splittingBy('(([A-Za-z ?]+)+)+#'))),
    file: 'tokenizer.json',
    ownMs: OWN_MS,
  },
  '800 million numbers': graph('a ConstantOfShape of 800 million'),
  'a million nodes': graph('a million nodes'),
  '2^62 trips': graph('a Loop of 2^62 trips'),
  'a config.json of 500 MB': { change: free(long('config.json', 500e6)), file: 'config.json' },
  'a tokenizer of 200 MB': { change: free(long('tokenizer.json', 200e6)), file: 'tokenizer.json' },
  'a template of 100 MB': { change: free(long('chat_template.json', 100e6)), file: 'chat_template.json' },
  '300,000 added tokens': {
    change: free(
      edited('tokenizer.json', json => ({
        ...json,
        added_tokens: Array.from({ length: 300_000 }, (_, id) => ({ id, content: `<${id}>` })),
      })),
    ),
    file: 'tokenizer.json',
  },
  'images of 24,000 pixels': {
    change: free(
      edited('config.json', json => ({
        ...json,
        vision_config: { ...(json.vision_config as Json), image_size: 24_000 },
      })),
    ),
    file: 'config.json',
  },
  'an id that is a path': {
    change: edited('cropvlm.json', json => ({ ...json, id: '../a\nb', resolutions: [96, 1e15], scores: 'x' })),
    file: 'cropvlm.json',
  },
}

async function hostileFolders(world: World): Promise<string> {
  const noise = { change: free(folder => writeFileSync(join(folder, GRAPH), Buffer.alloc(4000, 0xa5))), file: GRAPH }
  const usual = await refusal(world, noise)
  const seen = await each(CASES, async one => {
    const { ms, mb } = await refusal(world, one)
    const [more, grown] = [ms - usual.ms, mb - usual.mb]
    world.within(LIMIT_MS + (one.ownMs ?? 0), more, 'the refusal')
    if (world.form !== 'short') assert.ok(grown <= LIMIT_MB, `it took ${Math.round(grown)} MB more`)
    return `${signed(more)} ms, ${signed(grown)} MB`
  })
  return `noise: ${Math.round(usual.ms)} ms, ${Math.round(usual.mb)} MB; ${seen}`
}

async function refusal(world: World, { change, file }: Case): Promise<Refusal> {
  const refused = await refusesToStart(world, changedFolder(world, change), file, { MODEL_PRECISION: 'fp32' })
  assert.match(refused.message, /fetch or export the model again/i, 'what to do is not said')
  return refused
}

function signed(number: number): string {
  return `${number < 0 ? '' : '+'}${Math.round(number)}`
}
