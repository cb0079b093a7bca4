import { once } from 'node:events'
import t from 'tap'
import { wholeLines } from '../../src/mcp/whole-lines.js'

async function through(maxBytes: number, ...chunks: string[]) {
  let tooLong = 0
  const lines = wholeLines(maxBytes, () => {
    tooLong += 1
  })
  const out: string[] = []
  lines.on('data', piece => out.push(String(piece)))
  for (const chunk of chunks) lines.write(chunk)
  lines.end()
  await once(lines, 'end')
  // one piece may hold several lines
  t.ok(out.every(piece => piece.endsWith('\n')))
  return { text: out.join(''), tooLong }
}

t.test('lines come as a whole, however they were cut', async t => {
  t.same(await through(99, 'ab', 'c\n', 'd\ne\n\nf', 'g\r\nlost'), { text: 'abc\nd\ne\n\nfg\r\n', tooLong: 0 })
})

t.test('one that is too long is passed over, and told once', async t => {
  t.same(await through(4, 'abc\n', 'abcd\n', 'ab', 'cd', 'ef', 'gh\nxy', 'z\n'), { text: 'abc\nxyz\n', tooLong: 2 })
})
