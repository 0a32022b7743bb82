// Finds programs on PATH by absolute folders only: a workspace must not be able to slip one in.
import { access, constants } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

const ENDINGS = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']

export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Every `name` on PATH, in its order. */
export async function onPath(name: string): Promise<string[]> {
  const found: string[] = []
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue
    for (const ending of ENDINGS) {
      const candidate = join(folder, name + ending)
      if (await isProgram(candidate)) found.push(candidate)
    }
  }
  return found
}
