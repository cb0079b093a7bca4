import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A caller that scrapes metrics waits no longer than this. */
const TIMEOUT_MS = 5000
const MIB = 1024 * 1024

/**
 * Bytes that each process holds on all NVIDIA GPUs together, by its pid, as nvidia-smi tells. In a container it knows
 * the host's pids: it tells nothing of ours unless the container shares the host's. Throws an Error if nvidia-smi
 * cannot be run.
 */
export async function nvidiaMemoryBytes(): Promise<Map<number, number>> {
  const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits']
  const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: TIMEOUT_MS })
  const used = new Map<number, number>()
  // one line for each process and GPU; the memory is "[N/A]" if the driver does not tell it
  for (const [, pid, mib] of stdout.matchAll(/^\s*(\d+)\s*,\s*(\d+)\s*$/gm))
    used.set(Number(pid), (used.get(Number(pid)) ?? 0) + Number(mib) * MIB)
  return used
}
