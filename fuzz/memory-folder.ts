import { ModelFolder } from '../src/vlm/folder/folder.js'

/** A model folder whose files are texts in memory. */
export class MemoryFolder extends ModelFolder {
  constructor(private readonly files: Readonly<Record<string, string>>) {
    super('/model')
  }

  override has(file: string): boolean {
    return Object.hasOwn(this.files, file)
  }

  override async text(file: string): Promise<string> {
    return this.files[file] ?? ''
  }
}
