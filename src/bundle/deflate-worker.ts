/** A thread that deflates files; see deflate.ts. */
import { parentPort } from 'node:worker_threads'
import { type DeflateTask, deflateFile } from './deflate.ts'

parentPort?.on('message', async ({ id, task }: { id: number; task: DeflateTask }) => {
  try {
    const result = await deflateFile(task)
    parentPort?.postMessage({ id, result }, result === null ? [] : [result.data.buffer as ArrayBuffer])
  } catch (error) {
    parentPort?.postMessage({ id, result: null, error })
  }
})
