import type { Evidence } from './rule.js'

export function confidenceOf({ certainty }: Evidence): number {
  return certainty
}
