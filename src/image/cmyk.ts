/**
 * Inks as colours, as Pillow's `convert("RGB")` does it, with which models are trained: without a profile, each colour is
 * what its ink and the black leave of 255. By libvips' own profile for offset printing, (35, 225, 225, 0) would be
 * (204, 53, 38) in place of (220, 30, 30).
 * @param cmyk 4 bytes a pixel, 255 is all ink.
 * @returns 3 bytes a pixel.
 */
export function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3)
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const light = 255 - (cmyk[from + 3] ?? 0)
    for (let ink = 0; ink < 3; ink++) rgb[to + ink] = light - scaled(cmyk[from + ink] ?? 0, light)
  }
  return rgb
}

/** `a * b / 255`, rounded: Pillow's MULDIV255. */
function scaled(a: number, b: number): number {
  const product = a * b + 128
  return ((product >> 8) + product) >> 8
}
