/** A thread that deflates files; see deflate.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { type DeflateTask, deflateFile } from './deflate.ts'
import { startZlib } from './zlib.ts'

const startStream = startZlib(workerData)

parentPort?.on('message', ({ id, task }: { id: number; task: DeflateTask }) => {
  try {
    const result = deflateFile(task, startStream)
    parentPort?.postMessage({ id, result }, result === null ? [] : [result.data.buffer as ArrayBuffer])
  } catch (error) {
    parentPort?.postMessage({ id, result: null, error })
  }
})
