import t from 'tap'
import { formatBytes, showProgress } from '../../../src/cli/hub/progress.js'

function watch(isTTY: boolean): string {
  let text = ''
  const progress = showProgress({ isTTY, write: more => (text += more) }, 'x.onnx', 2_000_000)
  for (const bytes of [10, 150_000, 210_000, 390_000, 2_000_000]) progress.at(bytes)
  progress.note('trying again')
  progress.end('fetched')
  return text
}

t.test('elsewhere than on a terminal: whole lines, one for each tenth reached', async t => {
  t.equal(watch(false), 'x.onnx  10 % of 2.0 MB\ntrying again\nx.onnx  2.0 MB  fetched\n')
})

t.test('on a terminal: one line that rewrites itself', async t => {
  const text = watch(true)
  t.equal(text.split('\n').length, 3)
  t.match(text, '\r\x1b[Kx.onnx  390.0 kB of 2.0 MB\r\x1b[Kx.onnx  2.0 MB of 2.0 MB\r\x1b[Ktrying again\n')
})

t.test('sizes', async t => {
  t.same([0, 999, 1000, 1_500_000, 2_345_000_000].map(formatBytes), ['0 B', '999 B', '1.0 kB', '1.5 MB', '2.3 GB'])
})
