import t from 'tap'
import { render } from '../../../bench/report/render.js'
import { measured, proxyResults, row } from '../measured.js'

t.test('RESULTS.md', async t => {
  const text = render(measured(), '## Notes\n\nbf16 is missed because of X.\n')
  t.match(
    text,
    /\| box at 512, full size, CPU, ours int8 against transformers bf16 \| 3 times faster \| 2\.9 times \| \*\*missed\*\* \|/,
  )
  t.match(text, /## Notes\n\nbf16 is missed because of X\./)
  t.match(text, '| transformers fp32 | 4160 | 790-900 | 10.0 | 5.0 | 600 | 60.0 | 90.0 | 16 | 500 | 5.2x |')
  t.match(text, '| 200.0 | 5x | 39.0 | 1500 | 1700 | 25.0 | 75.0 | 0.0 | 0.0 | 4.0 | 2.0 | 150 | 200 |')
  t.match(text, '| 2, int8 | 900 | 1.70 (4) | 840 | 700 / 400 / 130; 700 / 400 / 130 |')
  t.match(text, '| cropvlm | 0.50 | 5.00 | 0.30 | 2.10 | 900 | 300 |')
  t.match(text, '| nginx | 0.40 | - | 0.10 |\n| cropvlm, a new image | 107 | 102 | 1.68 |')
  t.match(text, '| cropvlm, the same again | 2.00 | 0.20 | 1.50 |')
  t.match(text, '| cropvlm | 4.00 | 9.00 | 2.00 | 8.00 | 0 | 150 | 168 |')
  t.match(text, '29 got a crop, bodies of 22 KiB')
  t.notMatch(text, '## A second question', 'what was not measured has no table')
  t.notMatch(text, /undefined|NaN|null/)
  const loud = {
    ...measured(),
    rows: [row({ idle_cores: 0.4 })],
    skipped: ['transformers fp32 on mini: no checkpoint'],
  }
  const other = render(loud, null)
  t.match(other, 'Not quiet while others were measured: cropvlm int8 (0.4 cores).')
  t.match(
    render({ ...measured(), proxy: proxyResults({ nginx: null }) }, null),
    'Load average before: 0.3; nginx was not installed.',
  )
  t.match(other, 'Not measured: transformers fp32 on mini: no checkpoint.')
})
