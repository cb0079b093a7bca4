import t from 'tap'
import { decodeBase64 } from '../../../src/http/request/base64.js'

const BYTES = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 197) & 255))

t.test('every way to write the same bytes', async t => {
  for (const length of [1, 2, 3, 57, 58, 399, 400]) {
    const bytes = BYTES.subarray(0, length)
    const text = bytes.toString('base64')
    const lines = (width: number, end: string) => text.replace(new RegExp(`.{${width}}`, 'g'), line => line + end)
    const ways = {
      plain: text,
      'in lines of 76': lines(76, '\n'),
      'in lines of 64, as PEM and Windows': lines(64, '\r\n'),
      'in lines of 1': lines(1, '\f\t'),
      'a space at the end': `${text} `,
      'spaces before the padding': text.replace(/=*$/, padding => `  ${padding}`),
      'without padding': text.replaceAll('=', ''),
      'letters of the URL alphabet': bytes.toString('base64url'),
      'those with padding': text.replaceAll('+', '-').replaceAll('/', '_'),
      'and in lines': lines(76, '\n').replaceAll('+', '-').replaceAll('/', '_'),
    }
    for (const [name, way] of Object.entries(ways)) t.same(decodeBase64(way), bytes, `${name}, ${length} bytes`)
  }
})

t.test('what is none, and the reason', async t => {
  const rows: [text: string, says: RegExp][] = [
    ['QUJDQ', /multiple of 4 and one letter more/],
    ['QUJD\nQ', /one letter more/],
    ['QQ==QUJD', /letters after its = padding/],
    ['QUI=\nQUJD', /letters after its = padding/],
    ['QUJD===', /more = after its = padding/],
    ['QU*D', /outside A-Z a-z 0-9 \+ \/, such as "\*"/],
    ['QUJD\u00a0QUJD', /outside/],
    ["b'QUJD'", /Python.*\.decode\(\)/],
    ['b"QUJD"', /Python/],
    ['"QUJD"', /quotation marks/],
    ['/home/me/page.png', /name of a file/],
    ['C:\\\\pages\\\\scan 1.JPEG', /name of a file/],
    ['QUJD%2BQUI%3D', /percent-encoded/],
    ['hello, world!', /outside.*","/],
    // found by `npm run fuzz`: Node's decoder takes these for QI
    ['\u5551\u3d49', /outside.*"\u5551"/],
    ['QUJ\u0144', /outside.*"\u0144"/],
  ]
  for (const [text, says] of rows)
    t.throws(() => decodeBase64(text), { code: 'invalid_base64', message: says }, JSON.stringify(text))
  for (const text of ['', ' \n', '=', '=='])
    t.throws(() => decodeBase64(text), { code: 'missing_field', message: '`image` is empty.' })
})

t.test('a letter that is wrong anywhere is found', async t => {
  const text = BYTES.toString('base64')
  for (let at = 0; at < text.length; at += 7) {
    const broken = `${text.slice(0, at)}!${text.slice(at + 1)}`
    t.throws(() => decodeBase64(broken), { code: 'invalid_base64', message: /"!"/ }, `${at}`)
  }
})
