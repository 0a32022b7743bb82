// The first question of all, in one: the server, and a model where there is none. Its sizes are checked by tests. Pure.

/** Unpacked, with PyTorch for CPUs alone. */
const SERVER_SIZE = '1.2 GB'
/** The server's default; it asks for the same by itself where this question was not answered. */
const MODEL = 'qwen2.5-coder-0.5b-instruct'
const ABOUT_MODEL = '491 MB, Apache-2.0'

/** The server's button. */
export const DOWNLOAD = 'Download'

export const isAboutModel = (question: string): boolean => question.startsWith(`Midfill has no model yet. Download ${MODEL} `)

export const offer = (folder: string): string =>
  `Install it into ${folder} (${SERVER_SIZE} with PyTorch), and a model into your cache folder if there is none yet (${MODEL}, ${ABOUT_MODEL})?`
