/** The folder of the crops. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { CropReply } from '../../../client/client.js'
import { CliError, EXIT } from '../../command.js'
import type { OutputRecord } from '../output/record.js'

export interface Crops {
  /** Writes a crop. @returns its path, relative to where the command runs */
  write(record: Pick<OutputRecord, 'id' | 'index' | 'key'>, crop: NonNullable<CropReply['crop']>): Promise<string>
}

/** @throws CliError usage: the folder cannot be made */
export async function openCrops(folder: string, cwd: string): Promise<Crops> {
  const at = resolve(cwd, folder)
  await mkdir(at, { recursive: true }).catch(error => {
    throw new CliError(EXIT.usage, `--crops: ${(error as Error).message}`)
  })
  return {
    async write(record, { media_type, data }) {
      const name = `${nameOf(record)}.${media_type === 'image/jpeg' ? 'jpg' : media_type.slice('image/'.length)}`
      const path = join(at, name)
      try {
        // a crop is there as a whole or not at all, and no two rows write to one file
        const part = `${path}.${record.index}.part`
        await writeFile(part, Buffer.from(data, 'base64'))
        await rename(part, path)
      } catch (error) {
        throw new CliError(EXIT.failed, `${path} cannot be written: ${(error as Error).message}`, error)
      }
      return join(folder, name)
    },
  }
}

/** The row's id as far as a file may be called so, and what sets it apart from rows with the same id. */
function nameOf({ id, index, key }: Pick<OutputRecord, 'id' | 'index' | 'key'>): string {
  const safe = String(id ?? index)
    .replace(/\.(jpe?g|png|webp)$/i, '')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 80)
  return `${safe}-${key.slice(0, 8)}`
}
