/** A calendar that cannot be used. The message names the line, counted from 1, and says what would be right. */
export class CalendarError extends Error {
  override readonly name = 'CalendarError';
  /** What is wrong, without where. */
  readonly reason: string;
  readonly line: number | undefined;

  constructor(reason: string, line?: number, fileName?: string) {
    const where = [fileName, line === undefined ? undefined : `line ${line}`].filter((part) => part !== undefined);
    super([...where, reason].join(': '));
    this.reason = reason;
    this.line = line;
  }
}
