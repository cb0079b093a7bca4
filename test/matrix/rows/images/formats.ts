/** Rows 11 to 14: what is no JPEG, PNG or WebP file. */
import type { Row } from '../../row.js'
import { flat } from '../../world/pictures/page.js'
import { each, type World } from '../../world/world.js'

const REFUSED = '415 unsupported_image_format'

export const FORMATS: readonly Row[] = [
  {
    number: 11,
    fault: 'text or HTML as image',
    behaviour: '415 `unsupported_image_format`',
    isShort: true,
    run: world =>
      refuse(world, {
        text: 'The total is 482.\n',
        HTML: '<!doctype html><title>Total</title><img src="page.png">',
        JSON: '{"image": "page.png"}',
        script: '#!/usr/bin/env node\nconsole.log(482)\n',
        'one byte': 'x',
        'the start of a JPEG alone': Buffer.from([0xff, 0xd8]),
        zeros: Buffer.alloc(5000),
      }),
  },
  {
    number: 12,
    fault: 'SVG, XXE, entity bomb',
    behaviour: '415 `unsupported_image_format`, it is never parsed',
    isShort: true,
    run: world =>
      refuse(world, { SVG: svg('<circle r="4"/>'), 'a file as entity': xxe(), 'entities of entities': bomb() }, 300),
  },
  {
    number: 13,
    fault: 'PDF, PNM, CSV, .v',
    behaviour: '415 `unsupported_image_format`',
    isShort: true,
    run: world =>
      refuse(world, {
        PDF: '%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n',
        PBM: 'P1\n3 2\n1 0 1\n0 1 0\n',
        PGM: Buffer.concat([Buffer.from('P5\n4 4\n255\n'), Buffer.alloc(16, 99)]),
        PPM: Buffer.concat([Buffer.from('P6\n4 4\n255\n'), Buffer.alloc(48, 99)]),
        PFM: Buffer.concat([Buffer.from('PF\n2 2\n-1.0\n'), Buffer.alloc(48)]),
        CSV: '0,128,255\n255,128,0\n',
        'a file of libvips': Buffer.concat([Buffer.from([0xb6, 0xa6, 0xf2, 0x08]), Buffer.alloc(300)]),
        'and in the other byte order': Buffer.concat([Buffer.from([0x08, 0xf2, 0xa6, 0xb6]), Buffer.alloc(300)]),
        BMP: Buffer.concat([Buffer.from('BM'), Buffer.alloc(200)]),
        ICO: Buffer.concat([Buffer.from([0, 0, 1, 0, 1, 0]), Buffer.alloc(200)]),
        FITS: `SIMPLE  =                    T${' '.repeat(2000)}`,
        HDR: '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 2\n',
        MAT: `MATLAB 5.0 MAT-file${' '.repeat(500)}`,
      }),
  },
  {
    number: 14,
    fault: 'GIF, TIFF, AVIF, HEIC',
    behaviour: '415 `unsupported_image_format`, though libvips could decode some of them',
    isShort: true,
    run: async world =>
      refuse(world, {
        GIF: await flat(24, 16).gif().toBuffer(),
        TIFF: await flat(24, 16).tiff().toBuffer(),
        AVIF: await flat(64, 48).heif({ compression: 'av1', effort: 0 }).toBuffer(),
        HEIC: Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(200)]),
        'JPEG XL': Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.alloc(200)]),
        'JPEG 2000': Buffer.concat([Buffer.from('0000000c6a5020200d0a870a', 'hex'), Buffer.alloc(200)]),
      }),
  },
]

async function refuse(world: World, files: Readonly<Record<string, string | Uint8Array>>, limitMs?: number) {
  const service = await world.shared()
  return await each(files, async file => world.refused(await service.crop(Buffer.from(file)), REFUSED, limitMs))
}

function svg(content: string, doctype = ''): string {
  return `<?xml version="1.0"?>${doctype}<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">${content}</svg>`
}

function xxe(): string {
  return svg('<text>&host;</text>', '<!DOCTYPE svg [<!ENTITY host SYSTEM "file:///etc/hostname">]>')
}

/** Ten entities, each ten times the one before it: a text of gigabytes for who expands it. */
function bomb(): string {
  const entities = Array.from({ length: 10 }, (_, i) => {
    const content = i === 0 ? 'zoom' : `&e${i - 1};`.repeat(10)
    return `<!ENTITY e${i} "${content}">`
  })
  return svg('<text>&e9;</text>', `<!DOCTYPE svg [${entities.join('')}]>`)
}
