import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pictureFiles, writePicture } from '../../../src/cli/ask/pictures.js'
import { testWorld } from '../../support/cli/world.js'

t.test('one picture goes to a file, in the format of its name', async t => {
  const cwd = t.testdir()
  const { world } = testWorld({ cwd })
  for (const [path, format] of [
    ['box.jpg', 'jpeg'],
    ['box.JPEG', 'jpeg'],
    ['new/deep/box.png', 'png'],
    ['box.webp', 'webp'],
  ] as const) {
    const place = (await pictureFiles('--crop', path, 1, world))('page.gif')
    t.same(place, { path, format })
    await writePicture(place, Buffer.from(path).toString('base64'), world)
    t.equal(readFileSync(join(cwd, path), 'utf8'), path)
  }
})

t.test('several go to a folder, each under its own name and in its own format', async t => {
  const cwd = t.testdir({ there: {} })
  const { world } = testWorld({ cwd })
  const placeOf = await pictureFiles('--crop', 'out', 5, world)
  t.same(['a/page.png', 'b/page.png', 'page.JPG', 'scan', '-'].map(placeOf), [
    { path: 'out/page.png', format: 'png' },
    { path: 'out/page-2.png', format: 'png' },
    { path: 'out/page.JPG', format: 'jpeg' },
    { path: 'out/scan.jpg', format: 'jpeg' },
    { path: 'out/stdin.jpg', format: 'jpeg' },
  ])
  t.same((await pictureFiles('--crop', 'there', 1, world))('a.webp'), { path: 'there/a.webp', format: 'webp' })
  t.same((await pictureFiles('--crop', 'slash/', 1, world))('a.png'), { path: 'slash/a.png', format: 'png' })
})

t.test('where there can be no picture', async t => {
  const cwd = t.testdir({ file: '' })
  const { world } = testWorld({ cwd })
  await t.rejects(pictureFiles('--crop', 'box.gif', 1, world), {
    exitCode: 2,
    message: '--crop is "box.gif", but must be a file that ends in .jpg, .png or .webp.',
  })
  await t.rejects(pictureFiles('--overlay', 'box.jpg', 2, world), {
    exitCode: 2,
    message: '--overlay is "box.jpg", but there will be 2 pictures; name a folder.',
  })
  await t.rejects(pictureFiles('--crop', 'file/x', 2, world), { exitCode: 2, message: /cannot be made \(ENOTDIR\)/ })
  await t.rejects(writePicture({ path: 'none/x.jpg', format: 'jpeg' }, '', world), {
    exitCode: 1,
    message: 'none/x.jpg cannot be written (ENOENT).',
  })
})
