import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

t.test('a user without a home has a cache all the same', async t => {
  const { ENGINE_VARIABLES } = await t.mockImport<typeof import('../../src/config/engine.js')>(
    '../../src/config/engine.js',
    {
      'node:os': {
        tmpdir,
        homedir: () => {
          throw new Error('ENOENT: no such file or directory, uv_os_homedir')
        },
      },
    },
  )
  t.equal(ENGINE_VARIABLES.graphCacheDir.default, join(tmpdir(), `cropvlm-${process.getuid?.() ?? 'cache'}`))
})
