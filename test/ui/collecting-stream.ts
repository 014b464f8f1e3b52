import { Writable } from 'node:stream';

/** A stream that keeps what is written to it, and says of itself what a terminal says. */
export class CollectingStream extends Writable {
  readonly isTTY: boolean | undefined;
  columns: number | undefined;
  text = '';

  constructor(terminalColumns?: number) {
    super({ decodeStrings: false });
    this.isTTY = terminalColumns === undefined ? undefined : true;
    this.columns = terminalColumns;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/**
 * What a terminal shows after a text was written to it. Knows only what our printers may use, and fails on anything else:
 * a cursor that is moved about, hidden or saved has to be a decision.
 */
export function screenOf(text: string): string[] {
  const lines = [''];
  let column = 0;
  // eslint-disable-next-line no-control-regex -- escape sequences are what it is about
  for (const [, sequence, character] of text.matchAll(/(\x1b\[[\d;?]*[A-Za-z]|\x1b.)|([^])/gu)) {
    const row = lines.length - 1;
    if (sequence === '\x1b[1G') column = 0;
    else if (sequence === '\x1b[0K') lines[row] = lines[row]!.slice(0, column);
    else if (sequence === '\x1b[2K') lines[row] = '';
    else if (sequence !== undefined) throw new Error(`unexpected ${JSON.stringify(sequence)}`);
    else if (character === '\n') {
      lines.push('');
      column = 0;
    } else {
      lines[row] = lines[row]!.slice(0, column).padEnd(column) + character! + lines[row]!.slice(column + 1);
      column += 1;
    }
  }
  return lines;
}
