/** stdout, stderr and the progress line between them, which may all be one terminal. */
import type { OutputStream } from './paint.js';
import type { ProgressDisplay } from './progress.js';

/** Lines that name files come by the thousand: those of so many milliseconds are written together. */
const BATCH_MILLISECONDS = 40;

export class Screen {
  readonly #progress: ProgressDisplay | undefined;
  #batch = '';
  #batchStream: OutputStream | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(progress?: ProgressDisplay) {
    this.#progress = progress;
  }

  /** Writes at once, after whatever was to be written before it. */
  write(stream: OutputStream, text: string): void {
    this.list(stream, text);
    this.flush();
  }

  /** Writes soon, together with its likes. */
  list(stream: OutputStream, text: string): void {
    if (this.#batchStream !== stream) this.flush();
    this.#batchStream = stream;
    this.#batch += text;
    this.#timer ??= setTimeout(() => this.flush(), BATCH_MILLISECONDS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [stream, text] = [this.#batchStream, this.#batch];
    this.#batch = '';
    if (stream === undefined || text === '') return;
    if (this.#progress === undefined) stream.write(text);
    else this.#progress.aside(() => stream.write(text));
  }

  close(): void {
    // The line goes first: what is written last is not followed by it again.
    this.#progress?.close();
    this.flush();
  }
}
