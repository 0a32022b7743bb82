// The setting `midfill.languages`: ids to complete in, `!id` for all but that. Pure.

export function isOn(language: string, list: readonly string[]): boolean {
  const named = list.filter((each) => !each.startsWith('!'))
  return !list.includes(`!${language}`) && (!named.length || named.includes(language))
}

/** The list with `language` switched over, everything else as it was. */
export function toggled(language: string, list: readonly string[]): string[] {
  const others = list.filter((each) => each !== language && each !== `!${language}`)
  if (isOn(language, list)) return [...others, `!${language}`]
  return isOn(language, others) ? others : [...others, language]
}
