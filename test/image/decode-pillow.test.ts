/** Images of many kinds have the pixels that Pillow gives the trainer. Skipped where `trainer/.venv` is missing. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openImage } from '../../src/image/decode.js'

const python = fileURLToPath(new URL('../../trainer/.venv/bin/python', import.meta.url))
const script = fileURLToPath(new URL('../support/images/pillow.py', import.meta.url))
const skip = existsSync(python) ? false : `${python} is missing`

t.test('pixels are those of Pillow: the same, and where alpha is mixed in within a rounding', { skip }, async t => {
  const folder = t.testdir()
  execFileSync(python, [script, folder], { stdio: ['ignore', 'ignore', 'pipe'] })
  const names = readdirSync(folder).filter(name => !name.endsWith('.rgb'))
  t.equal(names.length, 13)
  for (const name of names) {
    const source = await openImage(readFileSync(`${folder}/${name}`), { maxPixels: 1e6, maxAspect: 9 })
    const { data } = await source.pixels()
    const expected = readFileSync(`${folder}/${name}.rgb`)
    t.equal(data.length, expected.length, name)
    const most = data.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))), 0)
    const isMixed = ['grey-alpha.png', 'alpha.png', 'palette-alpha.png'].includes(name)
    t.ok(most <= (isMixed ? 1 : 0), `${name}: ${most}`)
  }
})
