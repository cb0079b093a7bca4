/** Each call returns the milliseconds since the call before; the first call, those since the stopwatch was made. */
export function stopwatch(): () => number {
  let last = performance.now()
  return () => {
    const now = performance.now()
    const elapsed = now - last
    last = now
    return elapsed
  }
}
