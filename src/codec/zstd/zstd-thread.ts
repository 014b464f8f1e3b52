/** The module of the thread that decodes and makes zstd frames. */
import { connectHelper } from '../../threads/helper-side.js';
import type { ZstdAnswer, ZstdOrder } from './zstd-frames.js';
import { answerFrames } from './zstd-package.js';

const { onTask, answer } = connectHelper<undefined, ZstdOrder, ZstdAnswer>();
onTask(answerFrames(answer));
