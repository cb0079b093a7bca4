import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { BUNDLED_MODELS, bundledFolders, missingFolders, modelFolder } from '../../src/config/model-folder.js'
import { readConfig } from '../../src/config/service.js'
import { configuredCropper } from '../../src/cropper/croppers.js'
import { ROOT } from '../support/deploy-files.js'

t.test('the working folder comes first, then the package', async t => {
  t.equal(BUNDLED_MODELS, join(ROOT, 'models'))
  const dir = t.testdir({ models: { 'smolvlm-mini': {} } })
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(dir)
  const own = join(dir, 'models/smolvlm-mini')
  const bundled = join(ROOT, 'models/cropvlm-mini')
  t.equal(modelFolder('models/smolvlm-mini'), own)
  t.equal(modelFolder('models/cropvlm-mini'), bundled)
  t.equal(modelFolder('./models/cropvlm-mini/'), join(bundled, '/'))
  t.equal(modelFolder('models/other'), join(dir, 'models/other'))
  t.equal(modelFolder('/models/cropvlm-mini'), '/models/cropvlm-mini')
  t.equal(modelFolder('~/cropvlm'), join(homedir(), 'cropvlm'))
  t.same(bundledFolders([own, bundled, bundled]), [bundled])
  const elsewhere = join(dir, 'models/other')
  t.same(missingFolders([own, bundled, elsewhere, elsewhere, '/nowhere']), [
    `There is no model folder ${elsewhere}, nor one of that path in the package (${ROOT}); name one that is there, or fetch one with \`cropvlm models pull\`.`,
    'There is no model folder /nowhere; name one that is there, or fetch one with `cropvlm models pull`.',
  ])

  const config = readConfig({ CROPPER_MODEL: 'models/cropvlm-mini', LOCAL_TARGET_MODEL: 'models/cropvlm-mini' })
  t.equal(configuredCropper(config).needs.cropper?.dir, bundled)
  t.match(config.targets, [{ kind: 'local', dir: bundled }])
  t.match(readConfig({ TARGET_MODEL: 'local:models/cropvlm-mini' }).targets, [{ kind: 'local', dir: bundled }])
  t.match(readConfig({ TARGET_MODEL: 'local:models/smolvlm-mini' }).targets, [{ kind: 'local', dir: own }])
})

t.test("in the package itself its models are the working folder's", async t => {
  t.same(bundledFolders([join(BUNDLED_MODELS, 'cropvlm-mini')]), [])
})
