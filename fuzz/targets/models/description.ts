/** `cropvlm.json`: a description within its ranges, or faults that each are a line. */
import assert from 'node:assert/strict'
import { readDescription } from '../../../src/vlm/folder/description.js'
import { MemoryFolder } from '../../memory-folder.js'
import { orCodedLater, type Target } from '../../target.js'

/** Letters of a line that a person still reads. */
const MAX_FAULT = 2000

const WORDS = [
  '"format":2',
  '"prompt_contract":1',
  '"resolutions"',
  '"default_resolution"',
  '"default_precision"',
  '"sha256"',
  '"attention"',
  '"layers"',
  '"warning"',
  '"training"',
  '"scores"',
  '"id"',
  '"revision"',
  'null',
]

export const target: Target = {
  isSync: false,
  maxLength: 32_768,
  maxMs: 500,
  packages: ['@sinclair/typebox'],
  words: WORDS,
  async run(input) {
    const folder = new MemoryFolder({ 'cropvlm.json': input.toString() })
    const json = await orCodedLater(['invalid_model'], () => folder.json('cropvlm.json'))
    if ('error' in json) return
    const read = readDescription(json.value)
    if ('faults' in read) {
      assert.ok(read.faults.length > 0)
      for (const fault of read.faults) {
        assert.match(fault, /^[^\p{Cc}]+$/u)
        assert.ok(fault.length <= MAX_FAULT, `a fault of ${fault.length} letters`)
      }
      return
    }
    const { resolutions, default_resolution: preferred, id, sha256 } = read.description
    assert.ok(resolutions.every(edge => Number.isInteger(edge) && edge >= 16 && edge <= 16_384))
    assert.ok(resolutions.includes(preferred))
    assert.ok(id === undefined || (id.length <= 128 && !id.includes('..') && !/[\p{Cc}]/u.test(id)))
    for (const sum of Object.values(sha256)) assert.match(sum, /^[0-9a-f]{64}$/)
  },
}
