import { Transform } from 'node:stream'

const NEWLINE = 0x0a

/**
 * Hands lines on as a whole. The SDK's transport joins what has come of a line with each piece that follows, so that a
 * picture of 15 MB in a line takes seconds; and it gives the session up for a line that is too long, where only that line
 * is passed over here.
 * @param maxBytes Of one line.
 * @param onTooLong Told of a line that is passed over.
 */
export function wholeLines(maxBytes: number, onTooLong: () => void): Transform {
  let pieces: Buffer[] = []
  let length = 0
  let tooLong = false
  const add = (piece: Buffer) => {
    length += piece.length
    if (length <= maxBytes) pieces.push(piece)
    else {
      if (!tooLong) onTooLong()
      tooLong = true
      pieces = []
    }
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        add(chunk.subarray(start, end + 1))
        if (!tooLong) this.push(Buffer.concat(pieces))
        pieces = []
        length = 0
        tooLong = false
        start = end + 1
      }
      add(chunk.subarray(start))
      done()
    },
  })
}
