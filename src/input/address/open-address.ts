/** Opens an archive that lies at an address. */
import { FileSource } from '../file.js';
import type { Source } from '../source.js';
import { waitMs } from '../timed-source.js';
import { shownAddress, type Address } from './address.js';
import { openRemoteObjects } from './remote-objects.js';
import { RemoteBytes } from './remote-bytes.js';

/** How long a server may be silent by default, in seconds. */
export const SILENT_SECONDS = 30;

/**
 * Opens what lies at an address: by position, where the server gives ranges of bytes. It is waited for in calls: not for a
 * thread that has events to hear.
 *
 * @param silentSeconds so long the server may be silent
 * @param isStopped asked often while reading; true ends it
 * @throws XbstreamError `XB_IO`, `XB_CHANGED`, `XB_USAGE`
 */
export function openAddress(address: Address, silentSeconds: number | undefined, isStopped: () => boolean): Source {
  const bytes = new RemoteBytes({ address, timeoutMs: waitMs(silentSeconds ?? SILENT_SECONDS) }, isStopped);
  if (bytes.objects !== undefined) {
    try {
      return openRemoteObjects(bytes, bytes.objects, shownAddress(address), isStopped);
    } catch (error) {
      bytes.close();
      throw error;
    }
  }
  return new FileSource(bytes, bytes.hasRanges ? 0 : undefined, isStopped);
}
