import type { Source } from '../input/source.js';

/** Undoes one wrapper elsewhere, while this thread does something else: what goes in here comes out of its source. */
export interface Stage {
  /** What has been decoded. Its {@link Source.run} fails with a {@link WrapperError} where the rest cannot be. */
  readonly source: Source;
  /** Takes the next bytes; they are the giver's again when the promise it may return is done. */
  take(piece: Buffer): Promise<void> | undefined;
  /** No more comes. @param failed because of a failure, or since nobody wants it; what that was is known elsewhere */
  end(failed: boolean): void;
  /** Ends what decodes. */
  close(): void;
}
