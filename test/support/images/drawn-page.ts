import { seeded } from '../scripted.js'
import { greyPng } from './pictures.js'

/** A small page of bars where lines of text would be, as a grey PNG: another one for each seed. */
export function drawnPage(seed: number, width = 96, height = 64): Buffer {
  const random = seeded(seed)
  const pixels = Buffer.alloc(width * height, 255)
  for (let line = 0; line < 5; line++) {
    const [top, left] = [Math.floor(random() * (height - 3)), Math.floor((random() * width) / 2)]
    const right = left + Math.floor((random() * width) / 2)
    for (let y = top; y < top + 3; y++) pixels.fill(20, y * width + left, y * width + right)
  }
  return greyPng(pixels, width, height)
}
