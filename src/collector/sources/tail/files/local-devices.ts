import { isLocalDirectory } from './local-file-systems.ts';

/** Devices that are on this machine. Each device is examined once, at the first file that is opened on it. */
export class LocalDevices {
  readonly #known = new Map<string, boolean>();

  /** False if it is not known yet. */
  has(device: string): boolean {
    return this.#known.get(device) === true;
  }

  /** `path`: a file that exists on the device. */
  async examine(device: string, path: string): Promise<void> {
    if (this.#known.has(device)) return;
    this.#known.set(device, await isLocalDirectory(path));
  }
}
