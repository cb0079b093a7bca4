import { readFileSync } from 'node:fs'
import t from 'tap'
import { OPTIONS } from '../src/config/service.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The rows the README must have. Where this test fails it prints them: paste them there. */
const expected = [
  '| variable | default | meaning |',
  '|---|---|---|',
  ...OPTIONS.map(({ env, defaultText, unit, meaning }) => {
    const isNumber = /^\d+$/.test(defaultText)
    const cells = [`\`${env}\``, isNumber && unit ? `${defaultText} ${unit}` : defaultText, meaning]
    // Markdown would end a cell at the one, and take the other for HTML
    return `| ${cells.map(cell => cell.replace(/[|<]/g, '\\$&')).join(' | ')} |`
  }),
]

t.test('the README lists every environment variable, with its default and meaning', async t => {
  const section = /^## Configuration\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(readme)?.[1] ?? ''
  const found = section.split('\n').filter(line => line.startsWith('|'))
  const same = found.join('\n') === expected.join('\n')
  if (!same) t.comment(`the table of "## Configuration" in README.md should be:\n\n${expected.join('\n')}\n`)
  t.strictSame(found, expected)
})
