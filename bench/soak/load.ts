/** Callers who send one request after another, each of a kind that chance chooses, and judge what comes back. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disturbances } from './disturbances.js'
import { Tally } from './measure/tally.js'
import { BAD_KINDS } from './requests/bad.js'
import { CHAT } from './requests/chat.js'
import { wrongReply } from './requests/expect.js'
import { boxOf, GOOD } from './requests/good.js'
import type { Kind, World } from './requests/kind.js'
import { LOOKS } from './requests/looks.js'
import { RUDE } from './requests/rude.js'
import { type Reply, send } from './requests/send.js'

export const KINDS: readonly Kind[] = [...GOOD, ...BAD_KINDS, ...CHAT, ...RUDE, ...LOOKS]

/** Faults that are kept with their text; all are counted. */
const MAX_FAULTS = 50
/** Longest pause of a caller, in ms. */
const PAUSE_MS = 100

export class Load {
  readonly tally = new Tally()
  readonly faults: string[] = []
  faultCount = 0
  /** Answers about files that were never sent before; the caches are full after some hundreds. */
  newFiles = 0
  readonly #boxes = new Map<string, string>()
  #isOn = true
  #isPaused: Promise<void> | null = null
  #resume: () => void = () => {}
  #inFlight = 0

  constructor(
    private readonly world: World,
    private readonly disturbances: Disturbances,
  ) {}

  /** Runs callers until `stop` is called. */
  async run(callers: number): Promise<void> {
    await Promise.all(Array.from({ length: callers }, () => this.#call()))
  }

  /**
   * Sends so many requests at once, and waits for their replies.
   * @param kind What they are of; `name` is what they are counted as.
   */
  async burst(requests: number, { kind, name }: { kind: string; name: string }): Promise<void> {
    const found = kindOf(kind)
    await this.#isPaused
    const over = this.disturbances.begin('crowded')
    await Promise.all(Array.from({ length: requests }, () => this.#ask({ ...found, name })))
    over()
  }

  /** Sends one request, in a pause too, and waits for its reply. @param kind The name of what it is. */
  async ask(kind: string): Promise<void> {
    await this.#ask(kindOf(kind))
  }

  /** Lets no request begin until the returned function is called; waits until those on their way are answered. */
  async pause(): Promise<() => void> {
    this.#isPaused = new Promise(resolve => {
      this.#resume = resolve
    })
    while (this.#inFlight > 0) await sleep(20)
    return () => {
      this.#isPaused = null
      this.#resume()
    }
  }

  stop(): void {
    this.#isOn = false
  }

  /** Notes what is wrong. */
  fault(text: string): void {
    this.faultCount += 1
    if (this.faults.length < MAX_FAULTS) this.faults.push(text)
  }

  async #call(): Promise<void> {
    while (this.#isOn) {
      await this.#isPaused
      await this.#ask(chosen(KINDS, this.world.random))
      await sleep(this.world.random() * PAUSE_MS)
    }
  }

  async #ask({ name, expect, isNew, prepare }: Kind): Promise<void> {
    this.#inFlight += 1
    const { path, same, check, ...message } = await prepare(this.world)
    const start = performance.now()
    const reply = await send(this.world.url + path, message)
    this.tally.add(name, `${reply.status}${reply.isCut && reply.status > 0 ? ' cut' : ''}`, performance.now() - start)
    this.#inFlight -= 1
    const wrong =
      wrongReply(reply, expect, this.disturbances.since(start)) ??
      (reply.status === 200 && !reply.isCut ? (check?.(reply) ?? this.#otherBox(same, reply)) : null)
    if (wrong !== null) this.fault(`${name}: ${wrong}`)
    if (isNew && reply.status === 200) this.newFiles += 1
  }

  /** Whether an input that was seen before got another box than then. */
  #otherBox(same: string | undefined, reply: Reply): string | null {
    const box = boxOf(reply)
    if (same === undefined || box === null) return null
    const first = this.#boxes.get(same) ?? box
    this.#boxes.set(same, first)
    return first === box ? null : `the box is ${box}, and was ${first} for the same input`
  }
}

/** @throws Error where none has this name */
function kindOf(name: string): Kind {
  const found = KINDS.find(one => one.name === name)
  if (!found) throw new Error(`no kind of request is called ${name}`)
  return found
}

/** One of the kinds, by their weights. */
export function chosen(kinds: readonly Kind[], random: () => number): Kind {
  let left = random() * kinds.reduce((sum, { weight }) => sum + weight, 0)
  for (const kind of kinds) {
    left -= kind.weight
    if (left < 0) return kind
  }
  return kinds[0] as Kind
}
