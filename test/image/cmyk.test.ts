import t from 'tap'
import { cmykToRgb } from '../../src/image/cmyk.js'

t.test('colours of inks, as Pillow 12 gives them', async t => {
  const rows: [cmyk: number[], rgb: number[]][] = [
    [
      [35, 225, 225, 0],
      [220, 30, 30],
    ],
    [
      [0, 40, 80, 128],
      [127, 107, 87],
    ],
    [
      [0, 0, 0, 0],
      [255, 255, 255],
    ],
    [
      [255, 255, 255, 0],
      [0, 0, 0],
    ],
    [
      [0, 0, 0, 255],
      [0, 0, 0],
    ],
    [
      [255, 0, 255, 255],
      [0, 0, 0],
    ],
    [
      [1, 127, 254, 1],
      [253, 127, 1],
    ],
    [
      [100, 150, 200, 77],
      [108, 73, 38],
    ],
  ]
  t.same(cmykToRgb(Uint8Array.from(rows.flatMap(([cmyk]) => cmyk))), Uint8Array.from(rows.flatMap(([, rgb]) => rgb)))
})
