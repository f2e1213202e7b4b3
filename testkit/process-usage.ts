import { readFileSync } from 'node:fs';

/** Linux reports CPU time here in hundredths of a second, for any tick of the kernel. */
const TICKS_PER_SECOND = 100;

/** User and system time of a process, all threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the name in parentheses, which may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The largest resident memory of a process so far, in bytes. */
export function peakMemoryBytes(pid: number): number {
  return statusKilobytes(pid, 'VmHWM') * 1024;
}

/** The resident memory of a process now, in bytes. */
export function memoryBytes(pid: number): number {
  return statusKilobytes(pid, 'VmRSS') * 1024;
}

/** The resident memory of a process without the pages of files that it maps, which the kernel can drop, in bytes. */
export function ownMemoryBytes(pid: number): number {
  return statusKilobytes(pid, 'RssAnon') * 1024;
}

function statusKilobytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}
