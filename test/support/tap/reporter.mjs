/**
 * tap's output for a log: a line for each test file, and at its end all that failed, with what was wanted and found. The
 * reporters that tap brings along draw frames for a terminal, and their last one is lost where a file ran out of time.
 */
import { Transform } from 'node:stream'
import { Parser } from 'tap-parser'
import { stringify } from 'yaml'

/** Of the lines that tap itself writes at the end those with the sums. */
const SUMS = /^# (\{ total|time=)/

export default class Reporter extends Transform {
  #parser = new Parser()
  /** Test points that failed, without those of tests that failed because one of theirs did. */
  #failed = []

  constructor() {
    super()
    this.#watch(this.#parser)
    this.#parser.on('assert', ({ ok, name, time }) =>
      this.#say(`${ok ? 'ok' : 'not ok'} ${name} ${Math.round(time ?? 0)} ms`),
    )
    this.#parser.on('comment', comment => SUMS.test(comment) && this.#say(comment.trim()))
    this.#parser.on('bailout', reason => this.#say(`Bail out! ${reason}`))
  }

  _transform(chunk, _encoding, done) {
    this.#parser.write(chunk)
    done()
  }

  _flush(done) {
    this.#parser.on('complete', () => {
      this.#tellFailures()
      done()
    })
    this.#parser.end()
  }

  #watch(parser) {
    parser.on('child', child => this.#watch(child))
    parser.on('assert', result => {
      const { ok, skip, todo, fullname, closingTestPoint } = result
      if (skip) this.#say(`skipped: ${fullname}${skip === true ? '' : `: ${skip}`}`)
      if (ok || skip || todo) return
      const isTold = this.#failed.some(other => other.fullname.startsWith(`${fullname} > `))
      if (closingTestPoint && isTold) return
      this.#failed.push(result)
      this.#say(`FAILED: ${fullname}`)
    })
  }

  #tellFailures() {
    for (const { fullname, diag } of this.#failed)
      this.#say(`\nFAILED: ${fullname}\n${diag ? indented(stringify(diag)) : ''}`)
    if (this.#failed.length > 0)
      this.#say(`${this.#failed.length} failed:\n${indented(this.#failed.map(({ fullname }) => fullname).join('\n'))}`)
  }

  #say(line) {
    this.push(`${line}\n`)
  }
}

function indented(text) {
  return text.trimEnd().replace(/^/gm, '  ')
}
