import { readFileSync } from 'node:fs'
import { compileZlib } from '../src/bundle/zlib.ts'

const dist = new URL('../dist/', import.meta.url)

/** What the built action deflates with: the code, and the text of the threads. */
export const zlib = await compileZlib(readFileSync(new URL('zlib.wasm', dist)))
export const worker = readFileSync(new URL('deflate-worker/index.js', dist), 'utf8')
