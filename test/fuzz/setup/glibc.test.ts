import t from 'tap'
import { mirrorOf } from '../../../fuzz/setup/glibc.js'

t.test("the mirror of the system's own release, of all that apt knows", async t => {
  const targets = 'nodistro http://node/\nbookworm-security http://security/\nbookworm http://mirror/debian/\n'
  t.equal(mirrorOf(targets, 'bookworm'), 'http://mirror/debian/')
  t.equal(mirrorOf(targets, 'trixie'), null)
  t.equal(mirrorOf('', null), null)
})
