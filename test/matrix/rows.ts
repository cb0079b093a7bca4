/** All rows of the fault matrix, in the order of the table. */
import type { Row } from './row.js'
import { CONTENT } from './rows/bodies/content.js'
import { ENCODING } from './rows/bodies/encoding.js'
import { SIZE } from './rows/bodies/size.js'
import { ENGINE } from './rows/engine.js'
import { FOLDERS } from './rows/folders.js'
import { DAMAGED } from './rows/images/damaged.js'
import { FORMATS } from './rows/images/formats.js'
import { READ } from './rows/images/read.js'
import { SIZES } from './rows/images/sizes.js'
import { NAMES } from './rows/links/names.js'
import { REPLIES } from './rows/links/replies.js'
import { LOAD } from './rows/load.js'
import { MODEL } from './rows/model.js'
import { QUESTIONS } from './rows/questions.js'
import { SECRETS } from './rows/secrets.js'
import { SHUTDOWN } from './rows/shutdown.js'
import { START } from './rows/start.js'
import { STEADY } from './rows/steady.js'
import { TARGET } from './rows/target.js'

const GROUPS = [
  [CONTENT, SIZE, ENCODING],
  [FORMATS, SIZES, DAMAGED, READ],
  [QUESTIONS, MODEL],
  [NAMES, REPLIES],
  [LOAD, ENGINE, START, FOLDERS, SHUTDOWN],
  [TARGET, SECRETS, STEADY],
]

export const ROWS: readonly Row[] = GROUPS.flat(2).sort((a, b) => a.number - b.number)
