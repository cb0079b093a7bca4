/** What the service sees of a picture: the crop of the whole picture, which it gives back as a PNG file. */
import assert from 'node:assert/strict'
import sharp from 'sharp'
import type { Client, Reply } from '../client.js'
import { assertAnswered } from '../expect.js'

interface Seen {
  data: Buffer
  width: number
  channels: number
  reply: Reply
}

export async function seenBy(service: Client, file: Uint8Array): Promise<Seen> {
  const reply = await service.crop(file, { zoom: 'never', return: 'crop', format: 'png' })
  assertAnswered(reply)
  const picture = Buffer.from(reply.body.crop?.data ?? '', 'base64')
  const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, channels: info.channels, reply }
}

/**
 * The mean difference between what the service sees and what is meant, of 255.
 * @param meant A file of any format that sharp reads.
 */
export async function cutDifference(service: Client, file: Uint8Array, meant: Uint8Array) {
  const { data, channels, reply } = await seenBy(service, file)
  const wanted = await sharp(meant).removeAlpha().toColourspace('srgb').raw().toBuffer()
  assert.equal(channels, 3, 'the crop has three channels')
  assert.equal(data.length, wanted.length, 'the crop is of another size')
  const sum = wanted.reduce((total, value, i) => total + Math.abs(value - (data[i] ?? 0)), 0)
  return { difference: sum / wanted.length, reply }
}
