/*
 * Runs a part of the program: 'main', or the module of a thread. It stands before the call in two scripts: the executable's own, and
 * that of each of its threads. Everything comes out of the executable; no file is looked for.
 */
// eslint-disable-next-line no-unused-vars
function load(part) {
  'use strict';
  const { getBuiltinModule } = process;
  const { getRawAsset } = getBuiltinModule('node:sea');
  const { Script } = getBuiltinModule('node:vm');
  // Only ASCII: a string that V8 keeps in one byte a character.
  const text = Buffer.from(getRawAsset('program.js')).latin1Slice();
  // Where it is of another V8, or made with other options, V8 compiles the text.
  const cachedData = Buffer.from(getRawAsset('program.cache'));
  const script = new Script(text, { filename: 'tsxbstream.js', cachedData });
  script.runInThisContext()(getBuiltinModule, part);
}
