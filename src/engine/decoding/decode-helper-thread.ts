/** The module of a helping thread that decodes. */
import { connectHelper } from '../../threads/helper-side.js';
import type { HelperAnswer, HelperTask } from './decode-helpers.js';
import { DecodeTasks } from './decode-tasks.js';

const { onTask, answer } = connectHelper<undefined, HelperTask, HelperAnswer>();
const tasks = new DecodeTasks(answer);
onTask((task) => tasks.take(task));
