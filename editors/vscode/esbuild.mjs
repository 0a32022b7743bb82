// Bundles src/ into dist/extension.js: one file, `vscode` left to the editor. Beside it the licences of
// what is inside.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const { metafile } = await build({
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node18',
  external: ['vscode'],
  minify: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
})

const packages = Object.keys(metafile.inputs).map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
const notices = [...new Set(packages.filter(Boolean))].sort().map((folder) => {
  const licence = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name))
  if (!licence) throw new Error(`${folder} has no licence file: it may not be shipped`)
  return `${folder.split('node_modules/').at(-1)}\n\n${readFileSync(`${folder}/${licence}`, 'utf8').trim()}\n`
})
writeFileSync('dist/NOTICES.txt', notices.join(`\n${'-'.repeat(80)}\n\n`))
