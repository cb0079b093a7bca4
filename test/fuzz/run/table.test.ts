import t from 'tap'
import { table } from '../../../fuzz/run/table.js'

t.test('a line for each target', async t => {
  const base64 = { target: 'base64', seconds: 30, executions: 90_015, coverage: 37, corpus: 25, problem: null }
  const image = { target: 'image', seconds: 0, executions: 5, coverage: 105, corpus: 1, problem: 'crash-1' }
  t.equal(
    table([base64, image]),
    `| target | seconds | executions | executions/s | coverage | corpus | finds |
|--------|--------:|-----------:|-------------:|---------:|-------:|------:|
| base64 |      30 |      90015 |         3001 |       37 |     25 |     0 |
| image  |       0 |          5 |            5 |      105 |      1 |     1 |
`,
  )
})
