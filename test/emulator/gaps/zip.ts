import { crc32 } from 'node:zlib';

/** A zip archive of uncompressed text files, as Lambda accepts it. */
export function zipOf(files: Readonly<Record<string, string>>): Uint8Array {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const path = Buffer.from(name);
    const content = Buffer.from(text);
    const common = commonFields(content);
    const local = Buffer.concat([signature(0x04034b50), version, common, lengths(path), path, content]);
    directory.push(
      Buffer.concat([
        signature(0x02014b50),
        Buffer.from([20, 3]),
        version,
        common,
        lengths(path),
        // No comment, first disk, plain attributes, readable by all.
        Buffer.alloc(6),
        uint32(0o100644 * 0x10000),
        uint32(offset),
        path,
      ]),
    );
    bodies.push(local);
    offset += local.length;
  }
  return Buffer.concat([...bodies, ...directory, endOfDirectory(directory, offset)]);
}

const version = Buffer.from([20, 0]);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function signature(value: number): Buffer {
  return uint32(value);
}

/** Flags, method (stored), time, date, checksum, and the two sizes. */
function commonFields(content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0x21, 6);
  return Buffer.concat([head, uint32(crc32(content)), uint32(content.length), uint32(content.length)]);
}

/** Length of the name and of the (absent) extra field. */
function lengths(path: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(path.length);
  return bytes;
}

function endOfDirectory(directory: readonly Buffer[], offset: number): Buffer {
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const bytes = Buffer.alloc(22);
  bytes.writeUInt32LE(0x06054b50, 0);
  bytes.writeUInt16LE(directory.length, 8);
  bytes.writeUInt16LE(directory.length, 10);
  bytes.writeUInt32LE(size, 12);
  bytes.writeUInt32LE(offset, 16);
  return bytes;
}
