/** The output of a run: its log, and the values for the workflow. */
import type { Place } from './errors.ts'

/** The run's log as GitHub shows it. Text is data: nothing given here is run as a workflow command. */
export interface Log {
  info(message: string): void
  /** Shows the message at the top of the run, too. */
  notice(message: string): void
  warning(message: string, at?: Place): void
  error(message: string, at?: Place): void
  /** Shows the lines of a child process to the letter; none of them works as a workflow command. */
  output<T>(work: (print: (line: string) => void) => Promise<T>): Promise<T>
  /** Folds the lines of some work under its title and the time since the run began. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>
}

/** The run's words to the workflow. */
export interface Sink {
  /** Returns why the runner's file could not be written and they were told another way; null where it could. */
  setOutputs(values: Readonly<Record<string, string>>): Error | null
  /** Returns why it could not be written; null where it could. */
  writeSummary(markdown: string): Error | null
}
