import type { DecodeJob, JobOutput, OutputSink } from './codec.js';
import { decodeLz4Blocks } from './lz4-blocks.js';
import { decodeQpressBlocks } from './qpress.js';
import { decryptChunks } from './xbcrypt.js';
import { decodeZstdFrames } from './zstd.js';

/**
 * Does a job in this thread: a {@link JobRunner}. Only zstd is not done at once.
 *
 * @throws XbstreamError `XB_BAD_LAYER`, `XB_WRONG_KEY`, `XB_KEY_REQUIRED`; also as a rejection
 */
export function runJob(job: DecodeJob, sink: OutputSink): Promise<JobOutput> | undefined {
  switch (job.layer) {
    case 'xbcrypt':
      decryptChunks(job, sink);
      return undefined;
    case 'qpress':
      decodeQpressBlocks(job, sink);
      return undefined;
    case 'lz4':
      decodeLz4Blocks(job, sink);
      return undefined;
    case 'zstd':
      return decodeZstdFrames(job);
  }
}
