/** What the format says about files and corrections, in the plainest form: what the program is held against. */

export type Step =
  /** The next chunk of a file; with `rewrites` flagged so. */
  | { kind: 'content'; path: string; content: string; rewrites: boolean }
  | { kind: 'seek'; path: string; by: number }
  | { kind: 'end'; path: string }
  | { kind: 'remove'; path: string }
  | { kind: 'rename'; path: string; newPath: string };

interface ModelFile {
  content: string;
  whole: boolean;
  endOnly: boolean;
}

export interface ModelOutcome {
  /** The error that ends it; undefined when the archive is whole. */
  code: string | undefined;
  /** Files under their final names. */
  files: Record<string, string>;
}

/** How far a file has come before each step: a writer places the next chunk there. */
export function positions(steps: readonly Step[]): number[] {
  const sizes = new Map<string, number>();
  const whole = new Set<string>();
  return steps.map((step) => {
    const { path } = step;
    const size = sizes.get(path) ?? 0;
    const anew = step.kind === 'content' && step.rewrites && whole.has(path);
    const position = anew ? 0 : size;
    if (step.kind === 'content') {
      sizes.set(path, position + step.content.length);
      if (anew) whole.delete(path);
    } else if (step.kind === 'seek') {
      sizes.set(path, size + step.by);
    } else if (step.kind === 'end') {
      whole.add(path);
    } else if (step.kind === 'remove') {
      sizes.delete(path);
      whole.delete(path);
    } else if (whole.has(path) && path !== step.newPath) {
      sizes.set(step.newPath, size);
      whole.add(step.newPath);
      sizes.delete(path);
      whole.delete(path);
    }
    return position;
  });
}

/** Plays the steps of an archive through. */
export function play(steps: readonly Step[]): ModelOutcome {
  const files = new Map<string, ModelFile>();
  for (const step of steps) {
    const code = playStep(files, step);
    if (code !== undefined) return { code, files: named(files, false) };
  }
  if (steps.length === 0) return { code: 'XB_EMPTY_ARCHIVE', files: {} };
  if ([...files.values()].some(({ whole }) => !whole)) return { code: 'XB_MISSING_EOF', files: named(files, false) };
  return { code: undefined, files: named(files, true) };
}

function playStep(files: Map<string, ModelFile>, step: Step): string | undefined {
  const known = files.get(step.path);
  switch (step.kind) {
    case 'content': {
      if (known?.whole === true && !step.rewrites) return 'XB_DUPLICATE_PATH';
      const before = known?.whole === true ? '' : (known?.content ?? '');
      files.set(step.path, { content: before + step.content, whole: false, endOnly: false });
      return undefined;
    }
    case 'seek':
      if (known?.whole === true) return 'XB_DUPLICATE_PATH';
      files.set(step.path, { content: (known?.content ?? '') + '\0'.repeat(step.by), whole: false, endOnly: false });
      return undefined;
    case 'end':
      if (known?.whole === true) {
        // An end chunk alone: the file is empty now.
        if (!known.endOnly) files.delete(step.path);
        files.set(step.path, { content: '', whole: true, endOnly: true });
        return undefined;
      }
      files.set(step.path, { content: known?.content ?? '', whole: true, endOnly: known === undefined });
      return undefined;
    case 'remove':
      if (known?.whole === false) return 'XB_BAD_HEADER';
      files.delete(step.path);
      return undefined;
    case 'rename':
      if (known?.whole === false || files.get(step.newPath)?.whole === false) return 'XB_BAD_HEADER';
      if (known === undefined || step.path === step.newPath) return undefined;
      files.delete(step.path);
      files.set(step.newPath, known);
      return undefined;
  }
}

/** @param emptyToo also files that are an end chunk alone: they are made at a good end only */
function named(files: ReadonlyMap<string, ModelFile>, emptyToo: boolean): Record<string, string> {
  const whole = [...files].filter(([, file]) => file.whole && (emptyToo || !file.endOnly));
  return Object.fromEntries(whole.map(([path, { content }]) => [path, content]));
}
