import { spawnSync } from 'node:child_process'

/** Why no sandbox can be made on this machine, to skip with; false where one can. */
export const NO_SANDBOX: string | false =
  spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true']).status === 0
    ? false
    : 'bwrap makes no sandbox here (apt-get install bubblewrap)'
