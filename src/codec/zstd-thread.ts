/** The module of the thread that decodes zstd frames. */
import { connectHelper } from '../threads/helper-side.js';
import type { ZstdAnswer } from './zstd-frames.js';
import { answerFrames } from './zstd-package.js';

const { onTask, answer } = connectHelper<undefined, Uint8Array, ZstdAnswer>();
onTask(answerFrames(answer));
