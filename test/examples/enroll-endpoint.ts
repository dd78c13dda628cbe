/** The endpoint of examples/enroll-endpoint as a process on Node. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const EXAMPLE = join(import.meta.dirname, '../../examples/enroll-endpoint')

export type Environment = Readonly<Record<string, string>>

export interface Endpoint {
  readonly url: string
  stop(): Promise<void>
}

/** The program that `npm start` runs. */
export async function startNode(environment: Environment): Promise<Endpoint> {
  const child = spawn(process.execPath, ['src/node.ts'], {
    cwd: EXAMPLE,
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line.toString()) ?? []
  if (url === undefined) throw new Error(`The endpoint said ${line}`)
  return {
    url,
    stop: async () => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
