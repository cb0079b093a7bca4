import type { Image, Turn } from '../chat/conversation.js'

/** A crop that a request may get: of an image, for the question of a turn. */
export interface PlannedCrop {
  turn: Turn
  image: Image
}

/**
 * The crops of a conversation: each turn with a question gets those of the last images that it sees, its own and those of
 * earlier turns, unless it has crops already. What a turn gets depends on nothing behind it, so that a later call brings the same again.
 */
export function planCrops(turns: readonly Turn[], maxImages: number): PlannedCrop[] {
  const seen: Image[] = []
  return turns.flatMap(turn => {
    seen.push(...turn.images)
    if (turn.hasCrops || turn.question.trim() === '') return []
    return seen.slice(-maxImages).map(image => ({ turn, image }))
  })
}
