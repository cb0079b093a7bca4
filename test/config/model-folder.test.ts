import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { modelFolder } from '../../src/config/model-folder.js'
import { readConfig } from '../../src/config/service.js'
import { onnxModel } from '../../src/cropper/onnx.js'
import { ROOT } from '../support/deploy-files.js'

t.test('a bundled model is found from any working directory', async t => {
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  const elsewhere = t.testdir()
  process.chdir(elsewhere)
  const bundled = join(ROOT, 'models/cropvlm-mini')
  t.equal(modelFolder('models/cropvlm-mini'), bundled)
  const config = readConfig({ CROPPER_MODEL: './models/cropvlm-mini', LOCAL_TARGET_MODEL: 'models/smolvlm-mini' })
  t.equal(onnxModel(config).dir, bundled)
  t.match(config.targets, [{ dir: join(ROOT, 'models/smolvlm-mini') }])
  t.equal(modelFolder('models/absent'), join(elsewhere, 'models/absent'), 'the message names what was asked for')
  t.equal(modelFolder('src'), join(elsewhere, 'src'), 'nothing else of the package is meant')
  t.equal(modelFolder('~/models/mine'), join(homedir(), 'models/mine'))
  mkdirSync('models/cropvlm-mini', { recursive: true })
  t.equal(modelFolder('models/cropvlm-mini'), join(elsewhere, 'models/cropvlm-mini'), 'one of their own comes first')
})
