import t from 'tap'
import { capitalize, cropperPrompt, targetPrompt } from '../../src/contract/prompts.js'

t.test('the texts of the contract', async t => {
  t.equal(
    cropperPrompt('what does the SIGN say?'),
    'What does the sign say?\nOutline the region in the image that would help answer this question.',
  )
  t.equal(targetPrompt('what does the SIGN say?'), 'What does the sign say?\nGive a very brief answer.')
  t.equal(targetPrompt(''), '\nGive a very brief answer.')
})

// The right-hand sides are what Python 3.11's `str.capitalize` answers.
const PYTHON: [string, string][] = [
  ['hELLO', 'Hello'],
  ['éCOLE', 'École'],
  ['ßTRASSE', 'Sstrasse'],
  ['😀HELLO', '😀hello'],
  ['İSTANBUL', 'İstanbul'],
  ['ISTANBUL', 'Istanbul'],
  ['xİ', 'Xi̇'],
  ['ΟΔΟΣ ΣΑΣ', 'Οδος σας'],
  ['Σ', 'Σ'],
  ['ΣΣ', 'Σς'],
  ["it'Σ", "It'ς"],
  ['\u01c6UNGLA', '\u01c5ungla'],
  ['\u01f1', '\u01f2'],
  ['\ufb01NE', 'Fine'],
  ['\ufb03x', 'Ffix'],
  ['\u0587', '\u0535\u0582'],
  ['\u0149X', '\u02bcNx'],
  ['\u01f0', 'J\u030c'],
  ['\u10d0\u10d1', '\u10d0\u10d1'],
  ['\u1f80', '\u1f88'],
  ['\u1fb2', '\u1fba\u0345'],
  ['\u1fb3', '\u1fbc'],
  ['\u1fb7', '\u0391\u0342\u0345'],
  ['\u1ff4', '\u038f\u0345'],
  ['\u0345a', '\u0399a'],
  ['𐐨𐐀', '𐐀𐐨'],
  [' leading', ' leading'],
  ['7UP', '7up'],
]

t.test('capitalize is that of Python', async t => {
  for (const [text, expected] of PYTHON) t.equal(capitalize(text), expected, encodeURI(text))
})
