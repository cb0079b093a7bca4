/** Tells a host that waits for a tool what is being done. */

/** Who asked for a call, and how it is told. */
export interface Listener {
  /** What the host gave with its call; undefined where it does not want to be told. */
  token: string | number | undefined
  notify(params: { progressToken: string | number; progress: number; message: string }): Promise<void>
}

export interface Progress {
  /** @param doing What is done from now on. */
  stage(doing: string): void
  end(): void
}

/** A host may give up a call of which it has heard nothing for a while. */
const EVERY_MS = 2000

/** Tells each stage as it begins, and again every two seconds. The progress counts up; nobody knows how far it will. */
export function tellProgress({ token, notify }: Listener): Progress {
  if (token === undefined) return { stage() {}, end() {} }
  let progress = 0
  let message = ''
  const tell = () => {
    progress += 1
    // a host that has gone is noticed elsewhere
    notify({ progressToken: token, progress, message }).catch(() => {})
  }
  const timer = setInterval(tell, EVERY_MS)
  timer.unref()
  return {
    stage(doing) {
      message = doing
      tell()
    },
    end: () => clearInterval(timer),
  }
}
