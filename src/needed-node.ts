/**
 * Which Node there must be. Loaded before anything else, by whatever Node there is: no syntax here that Node 12 does not know.
 */

/** The oldest that will do, as `engines` in package.json has it. */
const MAJOR = 20;
const MINOR = 19;

/** What to say where this Node is too old, in one line. */
export function oldNode(): string | undefined {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return undefined;
  return `tsxbstream needs Node ${MAJOR}.${MINOR} or newer; this is Node ${node} (${process.execPath})`;
}
