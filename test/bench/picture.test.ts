import sharp from 'sharp'
import t from 'tap'
import { cropForm } from '../../bench/load/body.js'
import { commented, makePicture } from '../../bench/picture.js'

t.test('pictures: the same for a seed, another file with a comment', async t => {
  const jpeg = await makePicture(3, 64, 48)
  t.ok(jpeg.equals(await makePicture(3, 64, 48)))
  t.notOk(jpeg.equals(await makePicture(4, 64, 48)))
  const other = commented(jpeg, '1/2')
  t.notOk(other.equals(jpeg))
  t.ok((await sharp(other).raw().toBuffer()).equals(await sharp(jpeg).raw().toBuffer()), 'the same pixels')
  t.throws(() => commented(noJpeg(), 'x'), TypeError)
  const { type, bytes } = await cropForm(other, 'What?')
  const fields = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData()
  t.equal(fields.get('question'), 'What?')
  t.ok(Buffer.from(await (fields.get('image') as File).arrayBuffer()).equals(other))
})

function noJpeg(): Buffer {
  return Buffer.from('no JPEG')
}
