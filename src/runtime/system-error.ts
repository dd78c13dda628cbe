/** Refusals of the operating system, as errors that name the runner as the cause. */
import type { ErrorCode } from '../error-codes.ts'
import { ActionError } from '../errors.ts'

/** Node's error of a system call. */
export interface SystemError extends Error {
  readonly code: string
  readonly syscall: string
  readonly path?: string
}

interface Kind {
  readonly code: ErrorCode
  /** After "The runner". */
  readonly what: string
  readonly hint: string
}

const OTHER_USER =
  "The user of this step is not allowed to do that. In a container job the files belong to the user of the runner. Start the container as that user (options: --user 1001 on GitHub's machines), or as root. Or change the owner or mode of the file in an earlier step."

const FULL: Kind = {
  code: 'disk_full',
  what: 'has no space left',
  hint: 'Free some space in an earlier step, or use a larger runner. The bundle is written to RUNNER_TEMP: "env:" of this step can set a folder with more space.',
}
const DENIED: Kind = { code: 'file_denied', what: 'denies access to a file', hint: OTHER_USER }
const HANDLES: Kind = {
  code: 'too_many_open_files',
  what: 'allows no more open files',
  hint: 'Raise the limit of the runner: ulimit -n, or options: --ulimit nofile=65536 of a container.',
}
const UNUSABLE: Kind = {
  code: 'file_unusable',
  what: 'could not use a file',
  hint: 'The file or folder disappeared, has another type, or its disk is faulty. Check that nothing else changes these folders, then re-run the job.',
}
const NO_PROCESS: Kind = {
  code: 'process_not_started',
  what: 'could not start a process',
  hint: 'The usual causes are a limit of processes or memory, a mount with noexec, or very large variables (input build-env). Re-run the job, or change the runner.',
}

const KINDS: Readonly<Record<string, Kind>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: DENIED,
  EMFILE: HANDLES,
  ENFILE: HANDLES,
  ENOENT: UNUSABLE,
  ENOTDIR: UNUSABLE,
  EISDIR: UNUSABLE,
  EEXIST: UNUSABLE,
  ENOTEMPTY: UNUSABLE,
  ELOOP: UNUSABLE,
  ENAMETOOLONG: UNUSABLE,
  EBUSY: UNUSABLE,
  ETXTBSY: UNUSABLE,
  EIO: UNUSABLE,
  ESTALE: UNUSABLE,
  ENXIO: UNUSABLE,
  ENODEV: UNUSABLE,
}

/** Whether a file, a folder or a process of the runner is the reason, and not the network. */
export function isSystemError(error: unknown): error is SystemError {
  return kindOf(error) !== null
}

function kindOf(error: unknown): Kind | null {
  if (!(error instanceof Error)) return null
  const { code = '', syscall = '' } = error as Partial<SystemError>
  if (/^(connect|bind|listen|accept|getaddrinfo|shutdown|setsockopt)/.test(syscall)) return null
  if (syscall.startsWith('spawn')) return NO_PROCESS
  return syscall === '' ? null : (KINDS[code] ?? null)
}

/** For a file that may be missing: null where it is; any other reason is thrown, since it may well be there. */
export function nullIfMissing(error: unknown): null {
  const { code } = error as Partial<SystemError>
  if (isSystemError(error) && !/^(ENOENT|ENOTDIR|EISDIR|ENAMETOOLONG)$/.test(code ?? '')) throw error
  return null
}

/** The same as an error of ours; null for any other error. */
export function explainSystemError(error: unknown): ActionError | null {
  const kind = kindOf(error)
  return kind === null
    ? null
    : new ActionError(kind.code, `The runner ${kind.what}: ${(error as Error).message}.`, {
        hint: kind.hint,
        cause: error,
      })
}
