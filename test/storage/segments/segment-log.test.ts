import { appendFile, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CorruptEntryError } from '../../../src/storage/segments/corrupt-entry-error.ts';
import { segmentFileName } from '../../../src/storage/segments/segment-format.ts';
import { SegmentLog } from '../../../src/storage/segments/segment-log.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { failOnce, SimulatedDisk } from '../simulated-disk.ts';

const DIRECTORY = '/log';

async function openReal(directory: string, segmentBytes = 1000): Promise<SegmentLog> {
  const log = await SegmentLog.open({ directory, segmentBytes });
  onTestFinished(() => log.close());
  return log;
}

function openSimulated(disk: SimulatedDisk, segmentBytes = 1000): Promise<SegmentLog> {
  return SegmentLog.open({ directory: DIRECTORY, segmentBytes, fileSystem: disk.mount().fileSystem });
}

function payload(text: string): Uint8Array[] {
  return [Buffer.from(text)];
}

async function texts(log: SegmentLog, locations: Awaited<ReturnType<SegmentLog['append']>>) {
  return Promise.all(locations.map(async (location) => (await log.read(location)).toString()));
}

describe('on a real disk', () => {
  test('reads appended entries, also in the next process', async () => {
    const directory = join(await temporaryDirectory(), 'log');
    const log = await openReal(directory);
    const locations = await log.append([
      payload('one'),
      [],
      [Buffer.from('in '), Buffer.from(''), Buffer.from('parts')],
    ]);
    await log.flush();
    expect(await texts(log, locations)).toEqual(['one', '', 'in parts']);
    await log.close();
    const again = await openReal(directory);
    expect(await texts(again, locations)).toEqual(['one', '', 'in parts']);
    expect(again.bytes).toBe((await readFile(again.pathOf(1))).length);
    expect(locations.every((location) => again.holds(location))).toBe(true);
  });

  test('reads an entry that was appended with a known checksum of a part', async () => {
    const log = await openReal(await temporaryDirectory());
    const summed = (text: string, sum = text) => ({ bytes: Buffer.from(text), crc32: crc32(sum) });
    const [whole, empty, other] = await log.append([
      [Buffer.from('head '), summed('and data'), Buffer.from(' and more')],
      [summed('')],
      [Buffer.from('head '), summed('other bytes', 'these bytes')],
    ]);
    await log.flush();
    expect(await texts(log, [whole ?? expect.fail(), empty ?? expect.fail()])).toEqual([
      'head and data and more',
      '',
    ]);
    await expect(log.read(other ?? expect.fail())).rejects.toThrow(CorruptEntryError);
  });

  test('appends thousands of parts at once', async () => {
    const log = await openReal(await temporaryDirectory(), 2 ** 20);
    const many = Array.from({ length: 5000 }, (_, i) => payload(`entry ${i}`));
    const locations = await log.append(many);
    await log.flush();
    expect((await texts(log, locations)).at(-1)).toBe('entry 4999');
  });

  test('ends segments at their size, and removes whole ones', async () => {
    const directory = await temporaryDirectory();
    const log = await openReal(directory, 100);
    const locations = await log.append(Array.from({ length: 10 }, () => payload('x'.repeat(40))));
    await log.flush();
    expect(log.segments).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(locations.map(({ segment }) => segment)).size).toBe(5);
    await log.read(locations[0] ?? expect.fail());
    await log.remove(1);
    await log.remove(1);
    expect(await readdir(directory)).toHaveLength(4);
    await expect(log.read(locations[0] ?? expect.fail())).rejects.toThrow(/is missing/);
    expect(await texts(log, locations.slice(-1))).toEqual(['x'.repeat(40)]);
  });

  test('truncates garbage after the last indexed entry, and continues there', async () => {
    const directory = await temporaryDirectory();
    const log = await openReal(directory, 100);
    const [first, second] = await log.append([payload('a'.repeat(40)), payload('b'.repeat(40))]);
    await log.append([payload('c'.repeat(40))]);
    await log.flush();
    await log.close();
    await appendFile(log.pathOf(1), 'torn');
    const again = await openReal(directory, 1000);
    await again.truncateTo(first);
    expect(again.segments).toEqual([1]);
    expect(again.holds(first ?? expect.fail())).toBe(true);
    expect(again.holds(second ?? expect.fail())).toBe(false);
    const [third] = await again.append([payload('third')]);
    await again.flush();
    expect(third?.segment).toBe(1);
    expect(await texts(again, [first ?? expect.fail(), third ?? expect.fail()])).toEqual([
      'a'.repeat(40),
      'third',
    ]);
    await again.truncateTo(undefined);
    expect(await readdir(directory)).toEqual([]);
    expect(again.bytes).toBe(0);
  });

  test.each([
    ['a flipped bit', (bytes: Buffer) => void bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40), /checksum/],
    ['a wrong length', (bytes: Buffer) => void bytes.writeUInt32LE(7, 20), /says it has 7/],
    ['no entry', (bytes: Buffer) => void bytes.fill(0, 16, 28), /no entry/],
    ['another magic', (bytes: Buffer) => void bytes.write('NOPE', 0), /not a segment/],
    ['a later version', (bytes: Buffer) => void bytes.writeUInt32LE(9, 4), /format 9 is unknown/],
    ['another number', (bytes: Buffer) => void bytes.writeBigUInt64LE(5n, 8), /segment 5/],
  ])('detects a damaged file: %s', async (_, damage, message) => {
    const directory = await temporaryDirectory();
    const log = await openReal(directory);
    const [location] = await log.append([payload('x'.repeat(100))]);
    await log.flush();
    await log.close();
    const path = join(directory, segmentFileName(1));
    const bytes = await readFile(path);
    damage(bytes);
    await writeFile(path, bytes);
    const again = await openReal(directory);
    const reading = again.read(location ?? expect.fail());
    await expect(reading).rejects.toThrow(CorruptEntryError);
    await expect(reading).rejects.toThrow(message);
  });

  test('detects a file that ends too early', async () => {
    const directory = await temporaryDirectory();
    const log = await openReal(directory);
    const [location] = await log.append([payload('x'.repeat(100))]);
    await log.flush();
    const file = await open(log.pathOf(1), 'r+');
    await file.truncate(60);
    await file.close();
    await expect(log.read(location ?? expect.fail())).rejects.toThrow(/ends before/);
  });
});

describe('when the disk fails', () => {
  test('completes short writes', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk);
    disk.faultOf = (operation) => (operation === 'writev' ? { short: 7 } : undefined);
    const locations = await log.append([payload('x'.repeat(100)), [Buffer.from('ab'), Buffer.from('cd')]]);
    expect(await texts(log, locations)).toEqual(['x'.repeat(100), 'abcd']);
  });

  test.each(['ENOSPC', 'EIO'])('leaves the log unchanged after a torn append (%s)', async (code) => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk);
    const [first] = await log.append([payload('first')]);
    await log.flush();
    const before = disk.contentOf(log.pathOf(1));
    failOnce(disk, { writev: { code, partly: 20 } });
    await expect(log.append([payload('second'), payload('third')])).rejects.toThrow(code);
    expect(disk.contentOf(log.pathOf(1))).toEqual(before);
    const [fourth] = await log.append([payload('fourth')]);
    await log.flush();
    expect(await texts(log, [first ?? expect.fail(), fourth ?? expect.fail()])).toEqual(['first', 'fourth']);
  });

  test('an append that fails in its second segment takes back the first part too', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk, 100);
    await log.append([payload('first')]);
    await log.flush();
    const before = disk.contentOf(log.pathOf(1));
    let writes = 0;
    disk.faultOf = (operation) =>
      operation === 'writev' && ++writes === 3 ? { code: 'ENOSPC', partly: 5 } : undefined;
    await expect(log.append([payload('x'.repeat(90)), payload('y'.repeat(90))])).rejects.toThrow('ENOSPC');
    expect(disk.paths()).toEqual([log.pathOf(1)]);
    expect(disk.contentOf(log.pathOf(1))).toEqual(before);
    disk.faultOf = () => undefined;
    const [next] = await log.append([payload('next')]);
    await log.flush();
    expect(await texts(log, [next ?? expect.fail()])).toEqual(['next']);
  });

  test('leaves no file behind when one cannot be created', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk);
    failOnce(disk, { create: { code: 'ENOSPC' } });
    await expect(log.append([payload('x')])).rejects.toThrow('ENOSPC');
    expect(log.bytes).toBe(0);
    await log.append([payload('x')]);
    await log.flush();
    expect(disk.paths()).toHaveLength(1);
  });

  test('truncates unflushed entries after a failed flush, and begins a new segment', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk);
    const [first] = await log.append([payload('first')]);
    await log.flush();
    await log.append([payload('second')]);
    failOnce(disk, { datasync: { code: 'EIO' } });
    await expect(log.flush()).rejects.toThrow('EIO');
    const [third] = await log.append([payload('third')]);
    await log.flush();
    expect(third?.segment).toBe(2);
    disk.losePower(() => false);
    const again = await openSimulated(disk);
    await again.truncateTo(third);
    expect(await texts(again, [first ?? expect.fail(), third ?? expect.fail()])).toEqual(['first', 'third']);
  });

  test('treats a failed flush of the directory as a failed flush', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk);
    await log.append([payload('first')]);
    failOnce(disk, { syncDirectory: { code: 'EIO' } });
    await expect(log.flush()).rejects.toThrow('EIO');
    expect(log.bytes).toBe(0);
    const [second] = await log.append([payload('second')]);
    await log.flush();
    disk.losePower(() => false);
    expect(await texts(await openSimulated(disk), [second ?? expect.fail()])).toEqual(['second']);
  });

  test('begins a new segment when one cannot be truncated', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk);
    const [first] = await log.append([payload('first')]);
    await log.flush();
    failOnce(disk, { writev: { code: 'EIO', partly: 9 }, truncate: { code: 'EIO' } });
    await expect(log.append([payload('second')])).rejects.toThrow('EIO');
    const [third] = await log.append([payload('third')]);
    expect(third?.segment).toBe(2);
    expect(await texts(log, [first ?? expect.fail(), third ?? expect.fail()])).toEqual(['first', 'third']);
  });

  test('keeps flushed entries, and only those, after a power loss', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk, 100);
    const flushed = await log.append([payload('x'.repeat(90)), payload('y'.repeat(90)), payload('z')]);
    await log.flush();
    const [lost] = await log.append([payload('lost')]);
    disk.losePower(() => false);
    const again = await openSimulated(disk);
    expect(await texts(again, flushed)).toEqual(['x'.repeat(90), 'y'.repeat(90), 'z']);
    expect(again.holds(lost ?? expect.fail())).toBe(false);
  });

  test('keeps the entries of an ended process that the next one flushes', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk, 100);
    const entries = [payload('x'.repeat(90)), payload('y'.repeat(90)), payload('z')];
    const locations = await log.append(entries);
    const again = await openSimulated(disk, 100);
    await again.flushFrom(1);
    disk.losePower(() => false);
    const last = await openSimulated(disk, 100);
    expect(await texts(last, locations)).toEqual(['x'.repeat(90), 'y'.repeat(90), 'z']);
  });

  test('does not reuse the number of a lost file', async () => {
    const disk = new SimulatedDisk();
    const log = await openSimulated(disk);
    const [first] = await log.append([payload('first')]);
    await log.flush();
    disk.damage(log.pathOf(1), () => undefined);
    const again = await openSimulated(disk);
    expect(again.holds(first ?? expect.fail())).toBe(false);
    await again.truncateTo(first);
    const [second] = await again.append([payload('second')]);
    expect(second?.segment).toBe(2);
  });
});
