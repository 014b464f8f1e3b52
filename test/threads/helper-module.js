/** A helper for the tests: answers each task, or ends. Plain JavaScript, since no loader is there. */
import { connectHelper } from '../../dist/threads/helper-side.js';

const { data, onTask, answer } = connectHelper();
onTask((task) => {
  if (task === 'end') process.exit(7);
  if (task === 'fail') throw new Error('out of luck');
  if (task instanceof Uint8Array) answer(task, [task.buffer]);
  else answer(`${data} ${task}`);
});
