import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { UsageError } from './usage.ts';

/** A page that is written beside its path and takes the path's place when it is complete; an older one stays until then. */
export class PageFile {
  readonly #path: string;
  readonly #part: string;
  readonly #file: FileHandle;

  private constructor(path: string, part: string, file: FileHandle) {
    this.#path = path;
    this.#part = part;
    this.#file = file;
  }

  /** @param text what the page begins with; @throws UsageError when it cannot be written */
  static async begin(path: string, text: string): Promise<PageFile> {
    const part = `${path}.part`;
    let page: PageFile;
    try {
      page = new PageFile(path, part, await open(part, 'w'));
    } catch (error) {
      throw notWritten(path, error);
    }
    await page.append(text);
    return page;
  }

  /** @throws UsageError when it cannot be written; nothing is left of the page then */
  async append(text: string): Promise<void> {
    await this.#orGiveUp(() => this.#file.appendFile(text));
  }

  /** Puts the page where it belongs. @throws UsageError when that fails; nothing is left of the page then */
  async end(): Promise<void> {
    await this.#orGiveUp(async () => {
      await this.#file.close();
      await rename(this.#part, this.#path);
    });
  }

  /** Takes back what was written; once it is taken back nothing happens. */
  async giveUp(): Promise<void> {
    await this.#file.close();
    await rm(this.#part, { force: true });
  }

  async #orGiveUp(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      await this.giveUp();
      throw notWritten(this.#path, error);
    }
  }
}

function notWritten(path: string, error: unknown): UsageError {
  return new UsageError(`--plot ${path}: ${error instanceof Error ? error.message : String(error)}`);
}
