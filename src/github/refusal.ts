/** Whether GitHub refused because the job's token lacks a permission. */
export function isForbidden(error: unknown): boolean {
  const { status, message } = error as { status?: number; message?: string }
  return status === 403 && /not accessible|must have|permission/i.test(message ?? '')
}
