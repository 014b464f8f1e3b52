import { isUtf8 } from 'node:buffer';
import type { ContentSink } from '../output/stream-output.js';
import type { OutputStream } from '../ui/output-stream.js';
import { usageError } from './options/usage-error.js';

/**
 * Writes content to stdout. A terminal gets text as it is, and nothing else: other bytes could make it do anything.
 *
 * @throws XbstreamError `XB_USAGE` from the sink, before anything that is no text is written to a terminal
 */
export function stdoutSink(stdout: OutputStream): ContentSink {
  return (bytes) => {
    if (stdout.isTTY === true && !isText(bytes)) {
      throw usageError(
        'this is no text, and stdout is a terminal',
        'into a file: tsxbstream cat ARCHIVE PATH > FILE',
        'into a pager for bytes: tsxbstream cat ARCHIVE PATH | xxd | less',
      );
    }
    return new Promise((resolve) => {
      // A failure is heard by who watches stdout.
      stdout.write(bytes, () => resolve());
    });
  };
}

function isText(bytes: Buffer): boolean {
  // A letter may be cut at the end of what is looked at.
  const whole = [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(0, bytes.length - cut)));
  // eslint-disable-next-line no-control-regex
  return whole && !/[\x00-\x08\x0b\x0e-\x1f\x7f]/.test(bytes.toString('latin1'));
}
