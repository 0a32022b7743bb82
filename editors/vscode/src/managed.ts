// The servers that this extension installed: one virtual environment a version, under its own storage.
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

const PREFIX = 'server-'
/** Written last by the installer: a folder without it is half an installation. */
const STAMP = 'midfill-installed.json'

export interface Managed {
  readonly version: string
  readonly command: string
}

const scripts = (folder: string): string =>
  process.platform === 'win32' ? join(folder, 'Scripts', 'midfill.exe') : join(folder, 'bin', 'midfill')

export const folderOf = (storage: string, version: string): string => join(storage, PREFIX + version)

/** Complete installations, `version`'s own first. */
export async function installed(storage: string, version: string): Promise<Managed[]> {
  const names = await readdir(storage).catch(() => [])
  const found: Managed[] = []
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const folder = join(storage, name)
    const stamp = await readFile(join(folder, STAMP), 'utf8').catch(() => '')
    if (stamp) found.push({ version: name.slice(PREFIX.length), command: scripts(folder) })
  }
  return found.sort((a, b) => Number(b.version === version) - Number(a.version === version))
}

/** Delete every installation but `keep`'s. What another window still runs stays until next time. */
export async function removeOthers(storage: string, keep: string): Promise<void> {
  for (const name of await readdir(storage).catch(() => [])) {
    if (name.startsWith(PREFIX) && name !== PREFIX + keep) {
      await rm(join(storage, name), { recursive: true, force: true }).catch(() => undefined)
    }
  }
}
