import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest } from '../../dist/verbs/options/suggestion.js';

const WORDS = ['extract', 'create', 'list', 'verify', 'overwrite', 'fsync'];

for (const [typed, meant] of [
  ['extrct', 'extract'],
  ['exrtact', 'extract'],
  ['overwite', 'overwrite'],
  ['fsnyc', 'fsync'],
  ['lsit', 'list'],
  ['verfiy', 'verify'],
  ['zzzzzz', undefined],
  ['x', undefined],
  ['', undefined],
] as const) {
  test(`"${typed}" was ${meant === undefined ? 'nothing we know' : `meant as ${meant}`}`, () => {
    assert.equal(closest(typed, WORDS), meant);
  });
}
